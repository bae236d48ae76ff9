"""Rows as CSV (RFC 4180, UTF-8), which is safe to open in a spreadsheet."""

import csv
import io
import re
import unicodedata
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

BATCH = 500
"""Rows that are read and written at a time; no other request waits longer for that."""

_RUNS = frozenset("=+-@\t\r\n")
_UNSEEN = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u2060\ufeff]*")
_SPLIT = re.compile(r"(;\s*)([=+@\uff0b\uff1d\uff20-])")

T = TypeVar("T")


def to_csv(rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows: texts so that no program runs them, times in UTC, nothing as nothing.

    Other values are written as they are; a number that is negative stays one.
    """
    text = io.StringIO(newline="")
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


async def stream_csv(
    names: Sequence[str], batches: AsyncIterator[Iterable[Sequence[Any]]]
) -> AsyncIterator[bytes]:
    """Write batches of rows, each as one piece, under the names of their columns."""
    head = [names]
    async for batch in batches:
        yield to_csv([*head, *batch])
        head = []


async def begun(pieces: AsyncIterator[T]) -> AsyncIterator[T]:
    """Wait for the first piece: what fails up to there is still answered as a problem.

    There is at least one.
    """
    return _resumed(await anext(pieces), pieces)


async def _resumed(first: T, rest: AsyncIterator[T]) -> AsyncIterator[T]:
    yield first
    async for piece in rest:
        yield piece


def neutral(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    Some of them take other forms of the same characters for them, as the full-width
    ones, and skip blanks before; others begin another cell at a semicolon.
    """
    if text[:1].isalnum() and text.isascii() and ";" not in text:
        return text  # as most are, and at once
    text = _SPLIT.sub(r"\1'\2", text)
    first = unicodedata.normalize("NFKC", _UNSEEN.sub("", text, count=1)[:1])
    runs = text[:1] in _RUNS or first[:1] in _RUNS
    return f"'{text}" if runs else text


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return neutral(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value
