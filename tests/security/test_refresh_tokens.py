"""Refresh tokens as text."""

from uuid import uuid4

import pytest

from app.errors import InvalidGrant
from app.security.refresh_tokens import PREFIX, RefreshToken, RefreshTokens

OLD, NEW = b"o" * 32, b"n" * 32
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class TestRead:
    def test_gives_back_what_was_written(self) -> None:
        token = RefreshToken.first(uuid4())
        assert RefreshTokens([NEW]).read(RefreshTokens([NEW]).write(token)) == token

    def test_takes_no_token_with_another_character(self) -> None:
        tokens = RefreshTokens([NEW])
        text = tokens.write(RefreshToken.first(uuid4()))
        for place, character in enumerate(text):
            other = ALPHABET[(ALPHABET.find(character) + 1) % len(ALPHABET)]
            with pytest.raises(InvalidGrant):
                tokens.read(f"{text[:place]}{other}{text[place + 1 :]}")

    def test_takes_nothing_that_is_nearly_one(self) -> None:
        tokens = RefreshTokens([NEW])
        text = tokens.write(RefreshToken.first(uuid4()))
        for nearly in (
            "",
            PREFIX,
            text[:-1],
            text[:-4],
            f"{text}A",
            f"{text}AAAA",
            f"{text}=",
            f" {text}",
            f"{text}\n",
            text.upper(),
            text.removeprefix(PREFIX),
            f"{text[:-1]}é",
            f"{text[:-1]}\0",
            "A" * 100_000,
            PREFIX + "A" * 92,
        ):
            with pytest.raises(InvalidGrant):
                tokens.read(nearly)

    def test_takes_tokens_of_the_key_before_and_of_no_other(self) -> None:
        token = RefreshToken.first(uuid4())
        assert (
            RefreshTokens([NEW, OLD]).read(RefreshTokens([OLD]).write(token)) == token
        )
        with pytest.raises(InvalidGrant):
            RefreshTokens([NEW]).read(RefreshTokens([OLD]).write(token))


class TestSuccessor:
    def test_is_the_same_for_the_same_nonce_and_no_other(self) -> None:
        token = RefreshToken.first(uuid4())
        assert token.successor(b"1") == token.successor(b"1")
        assert token.successor(b"1") != token.successor(b"2")
        assert token.successor(b"1").generation == token.generation + 1
        assert token.successor(b"1").session_id == token.session_id

    def test_cannot_be_told_from_what_is_stored(self) -> None:
        token = RefreshToken.first(uuid4())
        assert token.secret not in token.hash
        assert RefreshToken.first(token.session_id).secret != token.secret
