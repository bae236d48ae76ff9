"""Problem documents (RFC 9457): the one shape of every answer that is not a success."""

import json
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from app.errors import ZenithError

MEDIA_TYPE = "application/problem+json"
MAX_POINTER = 256

# As RFC 9110 has renamed them, and Python since 3.13.
_TITLES = {
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "Content Too Large",
    HTTPStatus.REQUEST_URI_TOO_LONG: "URI Too Long",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Unprocessable Content",
}


def outline(
    kind: type[ZenithError], detail: str, *, instance: str, request_id: str
) -> dict[str, Any]:
    """Return the members that every problem has; ``instance`` is the path asked for."""
    return {
        "type": f"urn:zenith:problem:{kind.code}",
        "title": _TITLES.get(kind.status, kind.status.phrase),
        "status": int(kind.status),
        "detail": detail,
        "instance": instance,
        "code": kind.code,
        "request_id": request_id,
    }


def problem(error: ZenithError, *, instance: str, request_id: str) -> dict[str, Any]:
    """Describe an error to the client."""
    kind, detail = type(error), error.detail
    document = outline(kind, detail, instance=instance, request_id=request_id)
    if error.errors:
        document["errors"] = [asdict(field) for field in error.errors]
    return {**document, **error.extra}


def encode(document: dict[str, Any]) -> bytes:
    """Write a problem as JSON; escapes keep hostile paths printable and in UTF-8."""
    return json.dumps(document, separators=(",", ":")).encode("ascii")


def pointer(*parts: str | int) -> str:
    """Join parts to a JSON pointer (RFC 6901), cut short: clients name parts, too."""
    escaped = (str(part).replace("~", "~0").replace("/", "~1") for part in parts)
    return "".join(f"/{part}" for part in escaped)[:MAX_POINTER]
