"""HTTP/1.1 that refuses what is too large, broken or ambiguous."""

import asyncio
import sys
from typing import Any, ClassVar, Literal

import httptools
from typing_extensions import override
from uvicorn._types import ASGI3Application
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import (
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.server import ServerState

from app.errors import (
    BadRequest,
    HeadTooLarge,
    InternalError,
    TargetTooLong,
    Unavailable,
    ZenithError,
)
from app.server.heads import check_head, without_upgrade
from app.server.limits import Limits
from app.server.refusals import overloaded, raw_refusal, send_refusal

FRAMING_BYTES = 16
"""Chunk size and line ends that each piece of a chunked body may cost."""


class StrictProtocol(HttpToolsProtocol):
    """Answers an error with a problem, in the order of the requests, and closes."""

    limits: ClassVar[Limits] = Limits()

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self._phase: Literal["idle", "head", "body"] = "idle"  # of what is being read
        self._overhead = 0  # bytes of this request that are not its body
        self._received = 0  # bytes of the latest read
        self._carried = 0  # bytes of this request, at most, that came with the last one
        self._deaf = False  # whatever comes is not read any more
        self._refusal: ZenithError | None = None
        self._active: RequestResponseCycle | None = None  # self.cycle may be queued

    @property
    def _answering(self) -> bool:
        active = self._active
        return not (active is None or active.response_complete or active.disconnected)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._active is not None and self._answering:
            _hang_up(self._active)
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._received = len(data)
        self._overhead += self._received
        if self._phase == "idle":
            self._phase = "head"
        try:
            self._parse(data)
        except httptools.HttpParserError as error:
            cause = error.__context__  # what a callback of this class raised
            invalid = BadRequest("The request is not valid HTTP/1.1.")
            self._refuse(cause if isinstance(cause, ZenithError) else invalid)
        else:
            if self._overhead:
                self._check_unfinished()

    def _parse(self, data: bytes | memoryview) -> None:
        """Read on after requests to upgrade, which are answered as plain ones."""
        while True:
            try:
                self.parser.feed_data(data)
            except httptools.HttpParserUpgrade as upgrade:
                offset: int = upgrade.args[0]
            else:
                return
            data = memoryview(data)[offset:]
            self._ignore_upgrade()

    def _ignore_upgrade(self) -> None:
        """Parse a head once more, as one without Upgrade (RFC 9110, 7.8).

        The parser that has seen an upgrade has left its body unread.
        """
        old, self.parser = self.parser, httptools.HttpRequestParser(self)
        self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        version = old.get_http_version()
        head = without_upgrade(old.get_method(), self.url, version, self.headers)
        self.parser.feed_data(head)

    def _check_unfinished(self) -> None:
        """Refuse what has grown too large before its end is in sight."""
        if len(self.url) > self.limits.target_bytes:
            self._refuse(_target_too_long())
        elif self._overhead > self.limits.head_bytes:
            self._refuse(_head_too_large())

    @override
    def on_headers_complete(self) -> None:
        if len(self.url) > self.limits.target_bytes:
            raise _target_too_long()
        limit = self.limits.head_bytes
        if self._overhead + self._carried > limit:
            self._check_size(limit)
        check_head(self.parser.get_http_version(), self.url, self.headers)
        if self.parser.should_upgrade():
            if self.parser.get_method() == b"CONNECT":
                raise BadRequest("No connection is made from here to elsewhere.")
            return  # and the head comes once more, without Upgrade
        super().on_headers_complete()
        self._phase = "body"
        self.headers = []  # for trailers: the application keeps the list of the head

    def _check_size(self, limit: int) -> None:
        """Measure the head itself: what was received may be more than that."""
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        if len(self.url) + fields > limit:
            raise _head_too_large()

    @override
    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._overhead -= len(body) + FRAMING_BYTES

    @override
    def on_message_complete(self) -> None:
        if self._phase != "body":  # of an upgrade: as above
            return
        super().on_message_complete()
        self._phase = "idle"
        self._overhead = 0
        self._carried = self._received
        self.url = b""

    @override
    def _start_asgi_task(
        self, cycle: RequestResponseCycle, app: ASGI3Application
    ) -> None:
        self._active = cycle
        cycle.send_500_response = self._send_500_response  # type: ignore[method-assign]  # uvicorn has no hook
        super()._start_asgi_task(cycle, app if app is self.app else overloaded)

    async def _send_500_response(self) -> None:
        """Answer for an application that died, was cancelled or said nothing."""
        error: ZenithError = InternalError("Something went wrong here.")
        if isinstance(sys.exc_info()[1], asyncio.CancelledError):
            error = Unavailable("Zenith is shutting down.")
        assert self._active is not None
        await send_refusal(error, self._active.scope, self._active.send)

    @override
    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            self._close()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        elif self._refusal is not None:
            self._answer(self._refusal, instance="")
        else:
            self._rest()

    def _refuse(self, error: ZenithError) -> None:
        """Read no more, and answer an error after what was asked before it."""
        self._deaf = True
        if self._phase == "body":
            self._refuse_body(error)
        elif self._answering:
            self._refusal = error
        else:
            self._answer(error, instance="")

    def _refuse_body(self, error: ZenithError) -> None:
        _hang_up(self.cycle)
        if self.pipeline:
            self.pipeline.popleft()
            self._refusal = error
        elif self.cycle.response_started:
            self._close()
        else:
            self._answer(error, instance=self.cycle.scope["path"])

    def _answer(self, error: ZenithError, *, instance: str) -> None:
        """Write a problem and an end of file; closing at once could destroy both."""
        defaults = self.server_state.default_headers
        answer = raw_refusal(error, instance=instance, default_headers=defaults)
        self.flow.resume_reading()
        self.transport.write(answer)
        self.transport.write_eof()

    def _rest(self) -> None:
        """Do nothing until the next request."""

    def _close(self) -> None:
        self.transport.close()


def _hang_up(cycle: RequestResponseCycle) -> None:
    """Tell an application that its client is gone."""
    cycle.disconnected = True
    cycle.waiting_for_100_continue = False
    cycle.message_event.set()


def _target_too_long() -> TargetTooLong:
    return TargetTooLong("The path and the query of the request are too long.")


def _head_too_large() -> HeadTooLarge:
    return HeadTooLarge("The request line and the headers are too large together.")
