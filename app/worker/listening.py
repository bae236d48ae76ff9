"""How a worker hears that there are jobs."""

import asyncio
from typing import TYPE_CHECKING

from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.domain.models import TableChangedEvent
from pgqueuer.domain.types import Channel
from pgqueuer.ports.driver import NotifyCallback
from pydantic_core import from_json
from typing_extensions import override

from app.models.base import utc_now
from app.worker.names import NAMES

if TYPE_CHECKING:
    import asyncpg

PAUSE_SECONDS = 0.005
"""Between two calls: one look at the queue finds all that was put meanwhile."""

Payload = str | bytes | bytearray


class ListeningDriver(AsyncpgPoolDriver):
    """pgqueuer's driver, which tells when it listens, and does not repeat itself."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]") -> None:
        super().__init__(pool)
        self.listening = asyncio.Event()
        self._calls: Calls | None = None

    @override
    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        self._calls = Calls(callback)
        await super().add_listener(channel, self._calls)
        self.listening.set()

    def look(self, channel: Channel) -> None:
        """Have the worker look for jobs, as if one had been put."""
        if self._calls is not None:
            event = TableChangedEvent(
                channel=channel,
                operation="insert",
                sent_at=utc_now(),
                table=NAMES.queue_table,
                type="table_changed_event",
            )
            self._calls(event.model_dump_json())


class Calls:
    """Passes on that jobs were put, once for many.

    pgqueuer looks at the queue once for each notice that it gets, those of jobs that
    were deleted among them; every worker gets those of all others.
    """

    def __init__(self, callback: NotifyCallback) -> None:
        self._callback = callback
        self._missed: Payload | None = None
        self._pauses = False

    def __call__(self, payload: Payload) -> None:
        notice = from_json(payload)
        if notice["type"] != "table_changed_event":
            self._callback(payload)
        elif notice["operation"] != "insert":
            return
        elif self._pauses:
            self._missed = payload
        else:
            self._pauses = True
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._go_on)
            self._callback(payload)

    def _go_on(self) -> None:
        missed, self._missed, self._pauses = self._missed, None, False
        if missed is not None:
            self(missed)
