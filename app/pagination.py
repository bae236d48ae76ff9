"""Pages of a list: what is asked for, what is answered, and the cursors between."""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from app.errors import FieldError, ValidationFailed

T = TypeVar("T")

DEFAULT_SIZE, MAX_SIZE = 50, 100
MAX_ROWS = 10_000  # as far as numbered pages go, and as counting goes
MAX_CURSOR = 4096  # characters; a request target has room for twice as many

MAX_SORT_KEYS = 3

_MAC_BYTES = 16
_LENGTH_BYTES = 8

Order = tuple[tuple[str, bool], ...]
"""What a list is sorted by: names, and whether each runs down."""

NEWEST_FIRST: Order = (("created_at", True),)


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list is wanted: a page by its number, or what follows a cursor.

    ``page`` means nothing where there is a cursor.
    """

    size: int = DEFAULT_SIZE
    page: int = 1
    cursor: str | None = None
    order: Order = NEWEST_FIRST
    filters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def offset(self) -> int:
        """Rows before the page of this number."""
        return (self.page - 1) * self.size


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """Some rows of a list, and the cursor to go on from."""

    items: Sequence[T]
    total: int | None
    """Rows of the whole list; unknown above `MAX_ROWS` and behind a cursor."""
    page: int | None
    size: int
    pages: int | None
    next_cursor: str | None
    """Present as long as there is more."""

    @classmethod
    def numbered(
        cls,
        items: Sequence[T],
        request: PageRequest,
        *,
        total: int | None,
        next_cursor: str | None,
    ) -> "Slice[T]":
        pages = None if total is None else -(-total // request.size)
        return cls(items, total, request.page, request.size, pages, next_cursor)

    @classmethod
    def after_cursor(
        cls, items: Sequence[T], request: PageRequest, *, next_cursor: str | None
    ) -> "Slice[T]":
        return cls(items, None, None, request.size, None, next_cursor)


def invalid_cursor() -> ValidationFailed:
    detail = "This cursor was not given for this list, with these filters and sort."
    return ValidationFailed(FieldError("/query/cursor", "invalid_cursor", detail))


class Cursors:
    """Seals places in lists with a MAC, so that only cursors of ours are opened.

    The first key seals and all of them open, so keys can be changed. A cursor is not
    encrypted: it tells what its reader has seen, the values of the last row.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("a key is needed to seal cursors")
        self._keys = tuple(keys)

    def seal(self, place: bytes, *, binding: bytes) -> str:
        """Write a cursor to a place, good only for what ``binding`` tells."""
        sealed = _mac(self._keys[0], place, binding) + place
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")

    def open(self, cursor: str, *, binding: bytes) -> bytes:
        """Return the place of a cursor.

        Raises `ValidationFailed` for all but what was sealed with the same binding.
        """
        sealed = _decode(cursor)
        mac, place = sealed[:_MAC_BYTES], sealed[_MAC_BYTES:]
        if not any(
            hmac.compare_digest(mac, _mac(key, place, binding)) for key in self._keys
        ):
            raise invalid_cursor()
        return place


def _mac(key: bytes, place: bytes, binding: bytes) -> bytes:
    # The length keeps apart what would read the same when joined.
    bound = len(binding).to_bytes(_LENGTH_BYTES, "big") + binding + place
    return hmac.digest(key, bound, "sha256")[:_MAC_BYTES]


def _decode(cursor: str) -> bytes:
    """Decode base64url; of the spellings of the same bytes only one is right."""
    if len(cursor) > MAX_CURSOR:
        raise invalid_cursor()
    try:
        text = cursor.encode("ascii")
        sealed = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except (UnicodeEncodeError, binascii.Error):
        raise invalid_cursor() from None
    if base64.urlsafe_b64encode(sealed).rstrip(b"=") != text:
        raise invalid_cursor()
    return sealed
