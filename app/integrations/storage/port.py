"""What Zenith asks of a storage, whichever it is."""

import re
from dataclasses import dataclass
from typing import Protocol

from app.errors import Unavailable

# A part begins with a letter or a digit: so none is "..", and none is hidden.
_PART = r"[a-z0-9][a-z0-9._-]{0,127}"
_KEY = re.compile(rf"{_PART}(/{_PART}){{0,7}}")


class NoSuchObject(Exception):
    """Nothing is stored under this key."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some of an object's bytes."""

    content: bytes
    size: int
    """Of the whole object."""


class Storage(Protocol):
    """Keeps objects whole under keys as ``avatars/one.webp``.

    Every method raises `ValueError` for what is no key, and `Unavailable` where the
    storage does not answer or refuses.
    """

    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        """Store an object, in place of what was under the key; nobody sees a part."""

    async def get(self, key: str) -> bytes:
        """Return an object; raise `NoSuchObject` if there is none."""

    async def part(self, key: str, *, start: int, most: int) -> Part:
        """Return some bytes of an object, for one that is too large for memory.

        It begins before the object's end. Raises `NoSuchObject` if there is none.
        """

    async def delete(self, key: str) -> None:
        """Delete an object, if it is there."""

    async def delete_below(self, folder: str) -> None:
        """Delete every object whose key begins with ``folder/``."""


def checked(key: str) -> str:
    """Return a key that leads nowhere else on any storage."""
    if not _KEY.fullmatch(key):
        raise ValueError("not a key of the storage")
    return key


def unavailable() -> Unavailable:
    return Unavailable("The storage of files does not answer now.")
