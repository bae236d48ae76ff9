"""HTTP/1.1 that does not wait for a client for ever."""

import asyncio
from typing import Any

from typing_extensions import override
from uvicorn.config import Config
from uvicorn.server import ServerState

from app.errors import RequestTimeout, ZenithError
from app.server.deadline import Deadline
from app.server.pace import Pace
from app.server.strict import StrictProtocol


class ZenithProtocol(StrictProtocol):
    """Has one deadline at a time, for whatever the client has to do next."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._deadline = Deadline(self.loop, self._expire)
        self._pace = Pace(self.limits)
        self._paced: object = None  # the cycle whose body it is about
        self._unsent = 0  # bytes of responses when their reader was last looked at

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self._deadline.set(self.limits.head_seconds)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._deadline.close()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        before = self._phase
        super().data_received(data)
        if self._deaf:
            return
        if self._phase == "body":
            self._await_body(after=len(data))
        elif self._phase == "head" and before == "idle":
            self._deadline.set(self.limits.head_seconds)

    def _await_body(self, *, after: int = 0) -> None:
        if self.cycle.response_started:  # what is left of the body is not waited for
            return
        if self._paced is not self.cycle:
            self._paced, self._pace = self.cycle, Pace(self.limits)
        held = self.flow.read_paused or self.cycle.waiting_for_100_continue
        pause = self._pace.pause(self.loop.time(), after=after, held=held)
        self._deadline.set(pause)

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_reader()

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        if not self._answering:
            self._rest()

    def _await_reader(self) -> None:
        self._unsent = self.transport.get_write_buffer_size()
        self._deadline.set(self.limits.reader_seconds)

    @override
    def _rest(self) -> None:
        if not self.flow.write_paused:
            self._deadline.set(self.timeout_keep_alive)

    def _expire(self) -> None:
        """Part with a client that did not do its share in time.

        While the application works, it is not the client's turn: the deadline passes.
        """
        if self.flow.write_paused or self.transport.is_closing():
            self._expect_progress()
        elif self._answering:
            if self._phase == "body" and not self._deaf:
                self._expect_body()
        elif self._deaf:
            self._expect_progress()
        elif self._phase == "head":
            self._refuse(RequestTimeout("The request did not come in time."))
        else:
            self._close()

    def _expect_progress(self) -> None:
        if self.transport.get_write_buffer_size() < self._unsent:
            self._await_reader()
        else:
            self.transport.abort()

    def _expect_body(self) -> None:
        if self._pace.was_held:
            self._await_body()
        elif not self.cycle.response_started:
            self._refuse(RequestTimeout("The body did not come in time."))

    @override
    def _answer(self, error: ZenithError, *, instance: str) -> None:
        super()._answer(error, instance=instance)
        self._deadline.set(self.limits.linger_seconds)

    @override
    def _close(self) -> None:
        super()._close()
        self._await_reader()
