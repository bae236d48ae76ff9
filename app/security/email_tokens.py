"""Tokens of links in mails: opaque, of 256 bits, derived anew by who may send them."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from hashlib import sha256
from uuid import UUID


class EmailTokens:
    """Derives the text of a token from its id, with a key of the installation.

    So a job that sends it, perhaps twice, needs no secret in its payload, and neither
    the table nor the queue holds what opens an account. Of ``keys`` the first one makes
    tokens; the one before it is good for those that it has made.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = keys

    def make(self, id: UUID) -> bytes:
        """Return the hash of a new token."""
        return token_hash(_text(self._keys[0], id))

    def text(self, id: UUID, *, hash: bytes) -> str | None:
        """Return the token with this hash; None if its key is gone."""
        texts = (_text(key, id) for key in self._keys)
        return next((text for text in texts if token_hash(text) == hash), None)


def token_hash(text: str) -> bytes:
    return sha256(text.encode()).digest()


def _text(key: bytes, id: UUID) -> str:
    digest = hmac.digest(key, id.bytes, sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
