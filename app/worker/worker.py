"""A worker: takes jobs from the queue until it is told to stop."""

import asyncio
import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.errors import FailingListenerError
from pgqueuer.domain.models import Schedule
from pgqueuer.domain.types import Channel

from app.db.connections import connect
from app.db.errors import NO_DATABASE
from app.jobs.handlers import Handler
from app.jobs.registry import HANDLERS, SCHEDULE, Periodic
from app.queue import Queue
from app.resources import Resources
from app.worker.attempts import Attempts
from app.worker.listening import ListeningDriver
from app.worker.names import NAMES
from app.worker.queries import WorkerQueries

CONNECTIONS = 4
"""One listens; the others take jobs and tell that they are being done."""
BATCH = 10
CONCURRENCY = 20
"""Jobs that one worker does at a time."""
FAREWELL_SECONDS = 1
"""For putting back what was not done in time."""

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a worker waits for what."""

    silence: timedelta = timedelta(seconds=6)
    """After this, the jobs of a worker that tells nothing are another one's."""
    poll: timedelta = timedelta(seconds=2)
    """Between looks for jobs that nobody has announced: delayed ones, given-up ones."""
    drain: timedelta = timedelta(seconds=6)
    """For jobs that are being done when the worker is told to stop."""
    pause: timedelta = timedelta(seconds=1)
    """Before it begins anew, when it has lost its database."""


class Worker:
    """Does jobs with the process's resources; any number work side by side."""

    def __init__(
        self,
        resources: Resources,
        *,
        handlers: Sequence[Handler] = HANDLERS,
        schedule: Sequence[Periodic] = SCHEDULE,
        pace: Pace = Pace(),
    ) -> None:
        self._resources = resources
        self._handlers = handlers
        self._schedule = schedule
        self._pace = pace

    async def run(self, stop: asyncio.Event) -> None:
        """Work until told to stop; then end what is being done, or put it back.

        A database that is away is waited for.
        """
        settings = self._resources.settings
        if settings.in_production and settings.SMTP_URL is None:
            _log.warning("SMTP_URL is not set: mails are files in ZENITH_HOME/mail")
        while not stop.is_set():
            try:
                await self._work(stop)
            except Exception as error:  # noqa: BLE001 - nobody else would begin anew
                _tell(error)
                await _wait(stop, self._pace.pause)

    async def _work(self, stop: asyncio.Event) -> None:
        settings = self._resources.settings
        url = settings.DATABASE_DIRECT_URL or settings.DATABASE_URL
        assert url is not None
        pool: asyncpg.Pool[asyncpg.Record]
        pool = asyncpg.create_pool(  # type: ignore[call-overload]  # the stubs want a class
            url.get_secret_value(),
            connect=connect,
            min_size=0,
            max_size=CONNECTIONS,
        )
        await pool
        try:
            await self._serve(pool, stop)
        finally:
            pool.terminate()

    async def _serve(
        self, pool: "asyncpg.Pool[asyncpg.Record]", stop: asyncio.Event
    ) -> None:
        driver = ListeningDriver(pool)
        queries = WorkerQueries(driver)
        queuer = self._queuer(driver, queries)
        working = asyncio.create_task(
            queuer.run(
                dequeue_timeout=self._pace.poll,
                batch_size=BATCH,
                max_concurrent_tasks=CONCURRENCY,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._pace.silence,
                log_aggregation_interval=timedelta(0),
            )
        )
        # pgqueuer itself would wait for each job that is being done, and take no other.
        signs = (stop, queries.lost, queuer.shutdown)
        signals = [asyncio.create_task(sign.wait()) for sign in signs]
        try:
            await asyncio.wait({working, *signals}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                queuer.shutdown.set()
                await asyncio.wait({working}, timeout=self._pace.drain.total_seconds())
        finally:
            for signal in signals:
                signal.cancel()
            working.cancel()  # what is still being done is put back
            # A database that hangs takes nothing back: its connections are torn off.
            await asyncio.wait({working}, timeout=FAREWELL_SECONDS)
            if working.done() and not working.cancelled():
                working.result()

    def _queuer(self, driver: ListeningDriver, queries: WorkerQueries) -> PgQueuer:
        queuer = PgQueuer(driver, channel=Channel(NAMES.channel), queries=queries)
        turn = asyncio.Lock()
        for handler in self._handlers:
            attempts = Attempts(
                handler, queries=queries, resources=self._resources, turn=turn
            )
            queuer.qm.register_executor(handler.job.type, attempts)
        for periodic in self._schedule:
            enqueue = functools.partial(self._enqueue, periodic)
            queuer.schedule(periodic.name, periodic.expression)(enqueue)
        return queuer

    async def _enqueue(self, periodic: Periodic, _: Schedule) -> None:
        """Make a job of what is due, so that it is tried again like any other."""
        async with self._resources.sessions.begin() as session:
            await Queue(session).put(periodic.job, key=f"periodic:{periodic.name}")


def _tell(error: Exception) -> None:
    """Write down why a worker begins anew: at length, if nobody expected it."""
    if isinstance(error, RuntimeError) and "missing" in str(error):  # so pgqueuer says
        _log.warning("the worker waits for the schema: zenith migrate")
    elif isinstance(error, _LOST):
        _log.warning("the worker begins anew", error=type(error).__name__)
    else:
        _log.error("the worker begins anew", exc_info=error)


_LOST = (FailingListenerError, *NO_DATABASE)


async def _wait(stop: asyncio.Event, pause: timedelta) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), pause.total_seconds())
