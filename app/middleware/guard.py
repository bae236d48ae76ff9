"""The innermost layer: bounds the body and turns a fault of ours into a problem."""

from collections.abc import Collection

import structlog

from app.errors import BodyTooLarge, InternalError
from app.middleware.asgi import App, Message, Receive, Scope, Send, send_problem

_log = structlog.get_logger()


class GuardMiddleware:
    """Stands inside CORS, so that a browser can read these answers, too.

    Routes at ``self_bounded`` paths bound their bodies themselves, whoever may send one
    being known by then.
    """

    def __init__(
        self, app: App, *, max_body_bytes: int, self_bounded: Collection[str] = ()
    ) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._self_bounded = frozenset(self_bounded)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watch(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            if scope["path"] not in self._self_bounded:
                receive = bounded(scope, receive, max_bytes=self._max_body_bytes)
            await self._app(scope, receive, watch)
        except BodyTooLarge as error:
            await send_problem(error, scope, send)
        except Exception:
            _log.exception("request failed")
            if started:  # too late for another answer: let the server cut this one off
                raise
            detail = "Something went wrong here; the request id finds it in the log."
            await send_problem(InternalError(detail), scope, send)


def bounded(scope: Scope, receive: Receive, *, max_bytes: int) -> Receive:
    """Count a body while it is read; refuse it before, where its length is announced.

    Raises `BodyTooLarge`.
    """
    left = max_bytes

    async def count() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise _too_large(max_bytes)
        return message

    for name, value in scope["headers"]:
        if name == b"content-length" and int(value) > max_bytes:
            raise _too_large(max_bytes)
    return count


def _too_large(max_bytes: int) -> BodyTooLarge:
    detail = f"A body may have {max_bytes} bytes here."
    return BodyTooLarge(detail, headers={"Connection": "close"})
