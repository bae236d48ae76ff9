"""The innermost layer: bounds the body and turns a fault of ours into a problem."""

import structlog

from app.errors import BodyTooLarge, InternalError
from app.middleware.asgi import App, Message, Receive, Scope, Send, send_problem

_log = structlog.get_logger()


class GuardMiddleware:
    """Stands inside CORS, so that a browser can read these answers, too."""

    def __init__(self, app: App, *, max_body_bytes: int) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _BoundedBody(receive, self._max_body_bytes)
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            body.check_announced(scope)
            await self._app(scope, body.receive, watch)
        except BodyTooLarge as error:
            await send_problem(error, scope, send)
        except Exception:
            _log.exception("request failed")
            if started:  # too late for another answer: let the server cut this one off
                raise
            detail = "Something went wrong here; the request id finds it in the log."
            await send_problem(InternalError(detail), scope, send)


class _BoundedBody:
    """Counts a request's body while it is read."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._limit = limit

    def check_announced(self, scope: Scope) -> None:
        """Refuse a body by its Content-Length, before any of it is read."""
        for name, value in scope["headers"]:
            if name == b"content-length" and int(value) > self._limit:
                raise self._too_large()

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        return message

    def _too_large(self) -> BodyTooLarge:
        return BodyTooLarge(
            f"A body may have {self._limit} bytes here.",
            headers={"Connection": "close"},
        )
