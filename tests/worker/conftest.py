"""A queue of one's own, and workers that do what is in it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from app.db.repositories.jobs import JobRepository
from app.queue import Job, Queue
from app.resources import Resources, open_resources
from app.worker.worker import Worker
from tests.conftest import settings_for
from tests.databases import Database, Databases
from tests.worker import program

PATIENCE_SECONDS = 90  # an end for a test that would hang; nothing is asserted of it


@dataclass(frozen=True)
class Work:
    """A database with a queue, and what there is to see in it."""

    database: Database
    resources: Resources
    owner: "asyncpg.Connection[asyncpg.Record]"

    async def put(self, *jobs: Job, **options: Any) -> list[int | None]:
        async with self.resources.sessions.begin() as session:
            return [await Queue(session).put(job, **options) for job in jobs]

    async def put_somehow(self, job: Job) -> None:
        """Put a job by a process that may have lost its connections, too."""
        for _ in range(50):
            try:
                await self.put(job)
            except Exception:  # noqa: BLE001 - whatever a dead connection raises
                await asyncio.sleep(0.1)
            else:
                return

    async def retry(self, id: int) -> None:
        async with self.resources.sessions.begin() as session:
            await JobRepository(session).retry(id)

    async def statuses(self) -> dict[int, str]:
        """Return what is in the queue; what is done may wait there to be deleted."""
        rows = await self.owner.fetch(
            "SELECT id, status::text FROM jobs.queue WHERE status <> 'successful'"
        )
        return {row["id"]: row["status"] for row in rows}

    async def effects(self) -> list[int]:
        rows = await self.owner.fetch("SELECT n FROM effects ORDER BY at")
        return [row["n"] for row in rows]

    async def attempts(self) -> list[int]:
        rows = await self.owner.fetch("SELECT n FROM attempts")
        return [row["n"] for row in rows]

    async def until_done(self) -> None:
        """Wait until nothing is left to do."""
        await self.until(self._is_done)

    async def until_begun(self, n: int) -> None:
        async def begun() -> bool:
            return n in await self.attempts()

        await self.until(begun)

    async def _is_done(self) -> bool:
        return set((await self.statuses()).values()) <= {"failed"}

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not await condition():
            assert time.monotonic() < end, await self.statuses()
            await asyncio.sleep(0.02)

    @contextlib.asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work in this process meanwhile."""
        stop = asyncio.Event()
        worker = Worker(
            self.resources, handlers=program.HANDLERS, schedule=(), pace=program.PACE
        )
        task = asyncio.create_task(worker.run(stop))
        yield
        stop.set()
        await task


@pytest.fixture
async def work(databases: Databases) -> AsyncIterator[Work]:
    async with databases.fresh() as database:
        owner = await asyncpg.connect(database.owner_url)
        await owner.execute(program.TABLE)
        settings = settings_for(DATABASE_URL=SecretStr(database.app_url))
        async with open_resources(settings) as resources:
            yield Work(database, resources, owner)
        await owner.close()


@pytest.fixture
def start(work: Work) -> Iterator[Callable[..., BaseProcess]]:
    """Start processes that are killed when the test ends."""
    started = []

    def start_one(**options: Any) -> BaseProcess:
        process = program.worker(work.database.app_url, **options)
        started.append(process)
        return process

    yield start_one
    for process in started:
        process.kill()
        process.join()
