"""API keys: recognised by their look, and kept as a keyed hash."""

import hmac
import re
from base64 import b32encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes
from zlib import crc32

BRAND = "zen_"
RANDOM_BYTES = 20  # 160 bits
PREFIX = len(BRAND) + 4
LAST = 4

_SECRET, _CHECKSUM = 32, 7
_KEY = re.compile(f"{BRAND}[a-z2-7]{{{_SECRET + _CHECKSUM}}}")


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was made now; its text is shown once."""

    text: str
    hash: bytes

    @property
    def prefix(self) -> str:
        return self.text[:PREFIX]

    @property
    def last_four(self) -> str:
        return self.text[-LAST:]


class ApiKeys:
    """Makes keys, and hashes those that are presented with a key of the installation.

    A checksum at the end tells a mistyped or invented one before anybody is asked. Of
    ``keys`` the first one hashes; the one before it is good for what it has hashed.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def make(self) -> NewKey:
        secret = _base32(token_bytes(RANDOM_BYTES))
        text = f"{BRAND}{secret}{_checksum(secret)}"
        return NewKey(text, _hash(self._keys[0], text))

    def hashes(self, text: str) -> list[bytes] | None:
        """Return what a key may be stored as; None if it never was a key."""
        if not _KEY.fullmatch(text):
            return None
        secret = text[len(BRAND) : -_CHECKSUM]
        if not hmac.compare_digest(_checksum(secret), text[-_CHECKSUM:]):
            return None
        return [_hash(key, text) for key in self._keys]


def _hash(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), sha256)


def _checksum(secret: str) -> str:
    return _base32(crc32(secret.encode()).to_bytes(4, "big"))[:_CHECKSUM]


def _base32(octets: bytes) -> str:
    return b32encode(octets).decode().rstrip("=").lower()
