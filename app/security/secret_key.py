"""The one secret of an installation, and the keys that are derived from it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.config import MIN_SECRET_BYTES, Settings, SettingsError

FILE_NAME = "secret_key"


def secret_key(settings: Settings) -> bytes:
    """Return SECRET_KEY; in development without one, make it and keep it at home."""
    if settings.SECRET_KEY is not None:
        return settings.SECRET_KEY.get_secret_value().encode()
    return _kept_key(settings.ZENITH_HOME / FILE_NAME)


def previous_secret_key(settings: Settings) -> bytes | None:
    """Return the key before the last rotation: it verifies and never signs."""
    if settings.SECRET_KEY_PREVIOUS is None:
        return None
    return settings.SECRET_KEY_PREVIOUS.get_secret_value().encode()


def keys_of(settings: Settings, label: str) -> list[bytes]:
    """Derive the keys of one use: the one that signs, then the one before it."""
    known = (secret_key(settings), previous_secret_key(settings))
    return [derive(secret, label) for secret in known if secret is not None]


def derive(secret: bytes, label: str, length: int = 32) -> bytes:
    """Derive the key of one use (HKDF-SHA-256, RFC 5869), so that no two share one."""
    hkdf = HKDF(SHA256(), length=length, salt=None, info=f"zenith/{label}".encode())
    return hkdf.derive(secret)


def _kept_key(path: Path) -> bytes:
    """Read the key; of several processes that find none, all get the first one's."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f"{FILE_NAME}.") as draft:
            draft.write(secrets.token_urlsafe(48))
            draft.flush()
            os.fsync(draft.fileno())  # a key that a power cut took back would be empty
            with suppress(FileExistsError):  # somebody was faster
                path.hardlink_to(draft.name)
    key = path.read_bytes()
    if len(key) < MIN_SECRET_BYTES:
        raise SettingsError(f"SECRET_KEY: the one kept in {path} is cut short")
    return key
