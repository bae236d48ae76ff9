"""Conditional requests (RFC 9110, 13), from the id and the version of a row."""

import re
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from app import __version__
from app.errors import PreconditionFailed

_TAG = re.compile(r'(W/)?"([^"]*)"')


class Versioned(Protocol):
    """A row that counts its changes: all that its answer shows moves the count."""

    @property
    def id(self) -> UUID: ...
    @property
    def version(self) -> int: ...


def etag(row: Versioned) -> str:
    """Write a strong validator.

    It names the row, for one URL may show each caller another one, and the version of
    Zenith: the answer of a newer one may have other fields, and must not pass for what
    a client has kept. What an answer shows besides the row is its ``variant``.
    """
    shown = [_state(row), getattr(row, "variant", None), __version__]
    return f'"{"-".join(part for part in shown if part)}"'


def is_known(if_none_match: str, row: Versioned) -> bool:
    """Tell whether a client has the current representation already (13.1.2)."""
    opaque = etag(row).strip('"')
    known = [tag for _, tag in _TAG.findall(if_none_match)]
    return if_none_match.strip() == "*" or opaque in known


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The state that a change is meant for (13.1.1); any, where there is no header."""

    header: str | None = None

    def check(self, row: Versioned) -> None:
        """Raise `PreconditionFailed` if the row is not what the client has read."""
        if self.header is None or self.header.strip() == "*":
            return
        # Any version of Zenith may have written the tag: what counts is the row.
        strong = [tag for weak, tag in _TAG.findall(self.header) if not weak]
        if not any(tag.startswith(f"{_state(row)}-") for tag in strong):
            raise PreconditionFailed("The resource has changed: read it again.")


ANY_VERSION = IfMatch()


def _state(row: Versioned) -> str:
    return f"{row.id.hex}-{row.version}"
