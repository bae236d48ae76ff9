"""Refresh tokens: opaque, rotated at each use, and stored as hashes only."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from app.errors import InvalidGrant

PREFIX = "zrt_"  # scanners for leaked secrets find it
SECRET_BYTES = 32
NONCE_BYTES = 16
_MAC_BYTES = 16
_GENERATION_BYTES = 5  # which makes it a whole number of base64 characters
_LENGTH = 16 + _GENERATION_BYTES + SECRET_BYTES + _MAC_BYTES


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """One of the tokens that a session has had, numbered by ``generation``."""

    session_id: UUID
    generation: int
    secret: bytes

    @classmethod
    def first(cls, session_id: UUID) -> "RefreshToken":
        return cls(session_id, 1, secrets.token_bytes(SECRET_BYTES))

    @property
    def hash(self) -> bytes:
        """What is stored. The secret is random, so a fast hash cannot be reversed."""
        return sha256(self.secret).digest()

    def successor(self, nonce: bytes) -> "RefreshToken":
        """Derive the next token; it takes both this one and the session's nonce.

        So whoever presents this token again gets the same successor, though the
        database alone, or an old token alone, does not tell it.
        """
        secret = hmac.digest(self.secret, nonce, sha256)
        return RefreshToken(self.session_id, self.generation + 1, secret)

    def to_bytes(self) -> bytes:
        generation = self.generation.to_bytes(_GENERATION_BYTES, "big")
        return self.session_id.bytes + generation + self.secret


class RefreshTokens:
    """Writes tokens and reads them; a forged one is refused before any query.

    The first key signs; the further ones are accepted, while the secret is rotated.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def write(self, token: RefreshToken) -> str:
        content = token.to_bytes()
        return _encode(content + _mac(self._keys[0], content))

    def read(self, text: str) -> RefreshToken:
        """Return a token that this installation wrote, else raise `InvalidGrant`."""
        raw = _decode(text)
        content, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(raw) != _LENGTH or not any(
            hmac.compare_digest(mac, _mac(key, content)) for key in self._keys
        ):
            raise InvalidGrant("The refresh token is not valid.")
        generation = int.from_bytes(content[16 : 16 + _GENERATION_BYTES], "big")
        secret = content[-SECRET_BYTES:]
        return RefreshToken(UUID(bytes=content[:16]), generation, secret)


def _encode(raw: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(raw).decode()


def _decode(text: str) -> bytes:
    """Decode base64url; of the spellings of the same bytes only ours is right."""
    try:
        raw = base64.urlsafe_b64decode(text.removeprefix(PREFIX))
    except (binascii.Error, ValueError):  # cut short, or not ASCII
        return b""
    return raw if _encode(raw) == text else b""


def _mac(key: bytes, content: bytes) -> bytes:
    return hmac.digest(key, content, sha256)[:_MAC_BYTES]
