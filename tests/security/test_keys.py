"""Signing keys: where they come from, and how they are rotated."""

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import SecretStr

from app.config import Settings, SettingsError
from app.errors import Unauthorized
from app.models.base import new_id
from app.security.keys import SigningKeys
from app.security.secret_key import FILE_NAME, derive, secret_key
from app.security.tokens import AccessTokens
from tests.conftest import settings_for

OLD = SecretStr("the secret of last year, long enough")
NEW = SecretStr("the secret of this year, long enough")


def tokens_of(settings: Settings) -> AccessTokens:
    keys = SigningKeys.of(settings)
    return AccessTokens(keys, issuer="https://a", audience="https://b", lifetime=60)


def accepts(verifier: Settings, signer: Settings) -> bool:
    user_id = new_id()
    token = tokens_of(signer).issue(user_id, session_id=new_id()).text
    try:
        return tokens_of(verifier).verify(token).user_id == user_id
    except Unauthorized:
        return False


def write_private(path: Path, key: Any) -> Path:
    path.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return path


def write_public(path: Path, key: Any) -> Path:
    public = key.public_key()
    path.write_bytes(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    return path


def asymmetric(private: Path, *public: Path) -> Settings:
    return settings_for(
        ALGORITHM="ES256",
        JWT_PRIVATE_KEY_FILE=private,
        JWT_PUBLIC_KEY_FILES=list(public),
    )


class TestSecretKey:
    def test_is_made_once_and_kept_for_its_owner(self, tmp_path: Path) -> None:
        settings = settings_for(SECRET_KEY=None, ZENITH_HOME=tmp_path / "new")
        key = secret_key(settings)
        assert len(key) >= 32
        assert secret_key(settings) == key
        file = tmp_path / "new" / FILE_NAME
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [f.name for f in file.parent.iterdir()] == [FILE_NAME]

    def test_processes_that_start_together_share_it(self, tmp_path: Path) -> None:
        settings = settings_for(SECRET_KEY=None, ZENITH_HOME=tmp_path)
        with ThreadPoolExecutor(8) as threads:
            keys = set(threads.map(lambda _: secret_key(settings), range(8)))
        assert len(keys) == 1

    def test_one_that_was_cut_short_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / FILE_NAME).touch()
        with pytest.raises(SettingsError, match="cut short"):
            secret_key(settings_for(SECRET_KEY=None, ZENITH_HOME=tmp_path))

    def test_each_use_has_a_key_of_its_own(self) -> None:
        secret = b"one secret"
        keys = {derive(secret, "one use"), derive(secret, "another"), secret}
        assert len(keys) == 3
        assert derive(secret, "one use") == derive(secret, "one use")


class TestRotationOfASecret:
    def test_the_previous_one_still_verifies(self) -> None:
        before = settings_for(SECRET_KEY=OLD)
        after = settings_for(SECRET_KEY=NEW, SECRET_KEY_PREVIOUS=OLD)
        assert accepts(after, signer=before)
        assert accepts(after, signer=after)
        assert not accepts(before, signer=after)

    def test_and_no_longer_when_it_is_gone(self) -> None:
        before = settings_for(SECRET_KEY=OLD)
        assert not accepts(settings_for(SECRET_KEY=NEW), signer=before)

    def test_secrets_are_not_published(self) -> None:
        assert SigningKeys.of(settings_for(SECRET_KEY=NEW)).jwks() == {"keys": []}


class TestKeyFiles:
    @pytest.fixture
    def old(self) -> Any:
        return ec.generate_private_key(ec.SECP256R1())

    @pytest.fixture
    def new(self) -> Any:
        return ec.generate_private_key(ec.SECP256R1())

    def test_overlap_in_a_rotation(self, tmp_path: Path, old: Any, new: Any) -> None:
        old_private = write_private(tmp_path / "old.pem", old)
        new_private = write_private(tmp_path / "new.pem", new)
        old_public = write_public(tmp_path / "old.pub", old)
        new_public = write_public(tmp_path / "new.pub", new)
        announced = asymmetric(old_private, new_public)
        switched = asymmetric(new_private, old_public)
        assert accepts(announced, signer=switched)
        assert accepts(switched, signer=announced)
        assert not accepts(asymmetric(new_private), signer=announced)

    def test_the_public_halves_are_published(
        self, tmp_path: Path, old: Any, new: Any
    ) -> None:
        settings = asymmetric(
            write_private(tmp_path / "new.pem", new),
            write_public(tmp_path / "old.pub", old),
            write_public(tmp_path / "new.pub", new),
        )
        keys = SigningKeys.of(settings).jwks()["keys"]
        assert len({key["kid"] for key in keys}) == len(keys) == 2
        for key in keys:
            assert key["kty"] == "EC"
            assert key["alg"] == "ES256"
            assert key["use"] == "sig"
            assert "d" not in key

    def test_a_file_that_is_no_key_is_named(self, tmp_path: Path, new: Any) -> None:
        text = tmp_path / "text.pem"
        text.write_text("hidden text")
        curve = write_private(
            tmp_path / "curve.pem", ec.generate_private_key(ec.SECP384R1())
        )
        other = write_private(
            tmp_path / "rsa.pem", rsa.generate_private_key(65537, 2048)
        )
        public = write_public(tmp_path / "public.pem", new)
        for path in (text, curve, other, public, tmp_path / "missing.pem"):
            with pytest.raises(
                SettingsError, match=r"^JWT_PRIVATE_KEY_FILE: "
            ) as caught:
                SigningKeys.of(asymmetric(path))
            assert "hidden text" not in str(caught.value)


def issue(tokens: AccessTokens) -> str:
    return tokens.issue(new_id(), session_id=new_id()).text


class TestVerifiedTokens:
    def test_are_remembered_and_bounded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("app.security.tokens.CACHED_TOKENS", 2)
        tokens = tokens_of(settings_for(SECRET_KEY=NEW))
        issued = [issue(tokens) for _ in range(3)]
        for token in issued:
            tokens.verify(token)
        assert len(tokens._verified) == 2
        assert tokens.verify(issued[0]).expires_at > 0

    def test_end_when_they_expire(self) -> None:
        tokens = tokens_of(settings_for(SECRET_KEY=NEW))
        token = issue(tokens)
        tokens.verify(token)
        remembered = tokens._verified[token]
        tokens._verified[token] = replace(remembered, expires_at=1)
        with pytest.raises(Unauthorized):
            tokens.verify(token)
        assert token not in tokens._verified
