"""Answers to requests that the application never sees, or never answers."""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from uuid_utils.compat import uuid7
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from app.errors import Unavailable, ZenithError
from app.headers import SECURITY_HEADERS
from app.problems import MEDIA_TYPE, encode, problem

_log = logging.getLogger(__name__)

Header = tuple[bytes, bytes]


def refusal(error: ZenithError, *, instance: str) -> tuple[list[Header], bytes]:
    """Make the headers and the body of an answer that ends the connection."""
    request_id = str(uuid7())
    body = encode(problem(error, instance=instance, request_id=request_id))
    _log.info("refused with %d %s, request %s", error.status, error.code, request_id)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *SECURITY_HEADERS.items(),
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
        *((k.lower().encode(), v.encode()) for k, v in error.headers.items()),
    ]
    return headers, body


def raw_refusal(
    error: ZenithError, *, instance: str, default_headers: Iterable[Header]
) -> bytes:
    """Write a refusal as the bytes of an HTTP/1.1 response."""
    headers, body = refusal(error, instance=instance)
    fields = [b"%s: %s\r\n" % header for header in (*default_headers, *headers)]
    return b"".join([STATUS_LINE[error.status], *fields, b"\r\n", body])


async def send_refusal(
    error: ZenithError, scope: Any, send: Callable[[Any], Awaitable[None]]
) -> None:
    """Give a refusal as an ASGI application does."""
    headers, body = refusal(error, instance=scope["path"])
    start = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def overloaded(scope: Any, _receive: Any, send: Any) -> None:
    """Stand in for the application when there are too many requests at once."""
    await send_refusal(Unavailable("There are too many requests now."), scope, send)
