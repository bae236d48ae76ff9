"""The outermost layer: what every request gets, and every response has."""

import re
import time
from typing import Any

import structlog
from uuid_utils import uuid7

from app.config import Settings
from app.errors import UntrustedHost
from app.headers import ADDED, SECURITY_HEADERS
from app.middleware.asgi import App, Message, Receive, Scope, Send, send_problem
from app.middleware.client import client_of, is_trusted
from app.middleware.hosts import Hosts
from app.telemetry import logs
from app.telemetry.metrics import observe_request

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_WATCHED = frozenset({b"host", b"x-request-id", b"x-forwarded-proto"})

_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")


class EdgeMiddleware:
    """Gives a request its id and its client; a response its headers, log line, metrics.

    It refuses hosts that are not served before anything else looks at the request.
    """

    def __init__(self, app: App, *, settings: Settings) -> None:
        self._app = app
        self._hosts = Hosts(settings.hosts)
        self._proxies = settings.TRUSTED_PROXIES
        self._headers = dict(SECURITY_HEADERS)
        self._log = structlog.get_logger().bind()  # bound once: it costs each time
        if settings.in_production:
            self._headers.update([_HSTS])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        watched = {k: v for k, v in scope["headers"] if k in _WATCHED}
        self._see_through_proxies(scope, watched)
        request_id = _request_id(watched.get(b"x-request-id", b""))
        token = logs.request_id.set(request_id)
        added = scope.setdefault(ADDED, {})
        response = _Response(send, self._headers, request_id, added)
        try:
            if self._hosts.answers(watched.get(b"host", b"")):
                await self._app(scope, receive, response.send)
            else:
                await _refuse_host(scope, response.send)
        finally:
            self._tell(scope, response.status, time.perf_counter() - started)
            logs.request_id.reset(token)

    def _see_through_proxies(self, scope: Scope, watched: dict[bytes, bytes]) -> None:
        if not self._proxies or not scope.get("client"):
            return
        peer, port = scope["client"]
        if not is_trusted(peer, self._proxies):
            return
        # Some proxies append to the header, others add one more of it.
        hops = [v for k, v in scope["headers"] if k == b"x-forwarded-for"]
        forwarded_for = b",".join(hops).decode("latin-1")
        scope["client"] = (client_of(peer, forwarded_for, self._proxies), port)
        if watched.get(b"x-forwarded-proto") in {b"http", b"https"}:
            scope["scheme"] = watched[b"x-forwarded-proto"].decode()

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        method, route = scope["method"], _route_of(scope)
        observe_request(method, route, status, seconds)
        self._log.info(
            "request",
            method=method,
            path=scope["path"],
            route=route,
            status=status,
            duration_ms=round(seconds * 1000, 2),
            client=scope["client"][0] if scope.get("client") else None,
        )


class _Response:
    """Adds headers to a response on its way out, and remembers its status."""

    def __init__(
        self,
        send: Send,
        headers: dict[bytes, bytes],
        request_id: str,
        added: dict[tuple[bytes, bytes], bytes],
    ) -> None:
        self._send = send
        self._headers = headers
        self._added = added
        self._request_id = request_id.encode()
        self.status = 0
        """0 until the response has started."""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            given = {name.lower(): value for name, value in message["headers"]}
            message["headers"] = [
                *message["headers"],
                *((k, v) for k, v in self._headers.items() if k not in given),
                (b"x-request-id", self._request_id),
            ]
            if self._added:
                message["headers"] += [(k[0], v) for k, v in self._added.items()]
        await self._send(message)


async def _refuse_host(scope: Scope, send: Send) -> None:
    detail = "This host is not served here; the operator sets ALLOWED_HOSTS."
    await send_problem(UntrustedHost(detail), scope, send)


def _request_id(given: bytes) -> str:
    return given.decode() if _REQUEST_ID.fullmatch(given) else str(uuid7())


def _route_of(scope: Scope) -> str | None:
    """Return the template of the route that matched, with every outer prefix."""
    context: Any = scope.get("fastapi", {}).get("effective_route_context")
    if context is not None:
        return str(context.path_format)
    return getattr(scope.get("route"), "path", None)
