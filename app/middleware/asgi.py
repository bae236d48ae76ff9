"""The types of ASGI, and how a layer answers by itself."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from app.errors import ZenithError
from app.problems import MEDIA_TYPE, encode, problem
from app.telemetry import logs

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


async def send_problem(error: ZenithError, scope: Scope, send: Send) -> None:
    """Answer a request with a problem document and close the matter."""
    document = problem(
        error, instance=scope["path"], request_id=logs.request_id.get() or ""
    )
    body = encode(document)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((k.lower().encode(), v.encode()) for k, v in error.headers.items()),
    ]
    start = {"type": "http.response.start", "status": error.status, "headers": headers}
    await send(start)
    await send({"type": "http.response.body", "body": body})
