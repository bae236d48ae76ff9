"""How an API key looks, and what is kept of it."""

import re
import string
from collections.abc import Iterator

import pytest

from app.models.api_keys import LAST, PREFIX_MAX
from app.security.api_keys import ApiKeys

OURS = ApiKeys([b"the newest key", b"the one before"])


def mistyped(text: str) -> Iterator[str]:
    """Yield a key with one character changed, left out, doubled or swapped."""
    for place in range(len(text)):
        before, here, after = text[:place], text[place], text[place + 1 :]
        for other in "a7":
            if other != here:
                yield before + other + after
        yield before + after
        yield before + here * 2 + after
        if after and after[0] != here:
            yield before + after[0] + here + after[1:]


class TestMake:
    def test_is_branded_and_random(self) -> None:
        texts = {OURS.make().text for _ in range(100)}
        assert len(texts) == 100
        assert all(re.fullmatch("zen_[a-z2-7]{39}", text) for text in texts)
        # Each of the 32 characters is somewhere in 100 times 160 bits.
        assert {c for text in texts for c in text[4:36]} == {
            *string.ascii_lowercase,
            *"234567",
        }

    def test_shows_how_it_begins_and_ends(self) -> None:
        made = OURS.make()
        assert made.text.startswith(made.prefix)
        assert made.text.endswith(made.last_four)
        assert (len(made.prefix), len(made.last_four)) == (8, LAST)
        assert len(made.prefix) <= PREFIX_MAX

    def test_is_kept_as_a_hash_of_the_installation(self) -> None:
        made = OURS.make()
        assert len(made.hash) == 32
        assert made.text.encode() not in made.hash
        theirs = ApiKeys([b"another installation's"])
        assert theirs.hashes(made.text) != [made.hash]


class TestHashes:
    def test_are_those_of_all_secrets_the_newest_first(self) -> None:
        made = OURS.make()
        before = ApiKeys([b"the one before"])
        assert OURS.hashes(made.text) == [made.hash, *(before.hashes(made.text) or [])]

    def test_are_none_of_what_is_mistyped(self) -> None:
        wrong = set(mistyped(OURS.make().text))
        assert len(wrong) > 150
        assert [text for text in wrong if OURS.hashes(text) is not None] == []

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "zen_",
            "zen_" + "a" * 39,
            "zen_" + "é" * 39,
            "a" * 100_000,
            "\0",
            "\ud800",
        ],
        ids=ascii,
    )
    def test_are_none_of_what_is_no_key(self, text: str) -> None:
        assert OURS.hashes(text) is None

    def test_are_none_of_another_spelling(self) -> None:
        text = OURS.make().text
        for other in (text.upper(), f" {text}", f"{text} ", f"{text}\n", f"{text}="):
            assert OURS.hashes(other) is None
