"""What all failures have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one part of a request; it never holds the input."""

    pointer: str
    """Where: a JSON pointer from the request, as ``/body/items/0/quantity``."""
    code: str
    detail: str


class OperatorError(Exception):
    """Zenith cannot run so: each line of the message says what to set or to do."""


class ZenithError(Exception):
    """An expected failure, shown to the client as a problem document (RFC 9457)."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]
    commits: ClassVar[bool] = False
    """Whether the transaction is committed all the same: the failure has an effect."""

    def __init__(
        self,
        detail: str,
        *,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}
        self.extra = extra or {}
        """Extension members of the problem document."""
