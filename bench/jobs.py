"""How many jobs a worker does, and how soon: ``python -m bench.jobs``.

It starts a PostgreSQL of its own, with its durability on, and one worker in this
process. Jobs that do nothing cost what the queue costs: a transaction each.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from pydantic import SecretStr

from app.config import Settings
from app.db.embedded import EmbeddedPostgres
from app.db.migrations import migrate
from app.jobs.handlers import Work, handle
from app.jobs.mail import send_mail
from app.mail.messages import PasswordChanged
from app.models.base import utc_now
from app.queue import Job, Queue
from app.queue.mails import SendMail
from app.resources import Resources, open_resources
from app.telemetry.logs import configure_logging
from app.worker.worker import BATCH, CONCURRENCY, Worker


class Nothing(Job):
    type = "bench.nothing"


class Bench:
    """A queue, a worker, and how many jobs it has done."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._done = 0
        self._changed = asyncio.Event()

    async def measure(self, jobs: int, latencies: int) -> None:
        puts = await self._fill(Nothing(), jobs)
        print(f"{'put, one transaction':30}{puts:10,.0f} jobs/s")
        print(f"{'done, nothing to do':30}{await self._drain(jobs):10,.0f} jobs/s")
        mail = PasswordChanged(
            to="ada@example.com", full_name="Ada", at=utc_now(), was_reset=False
        )
        await self._fill(SendMail(mail=mail), jobs // 5)
        mails = await self._drain(jobs // 5)
        print(f"{'done, a mail to a file':30}{mails:10,.0f} jobs/s")
        p50, p99 = await self._latency(latencies)
        print(f"{'from commit to handler, p50':30}{p50 * 1000:10.1f} ms")
        print(f"{'from commit to handler, p99':30}{p99 * 1000:10.1f} ms")

    async def _fill(self, job: Job, count: int) -> float:
        began = time.perf_counter()
        async with self._resources.sessions.begin() as session:
            for _ in range(count):
                await Queue(session).put(job)
        return count / (time.perf_counter() - began)

    async def _drain(self, count: int) -> float:
        began = time.perf_counter()
        await self._work(lambda: self._until(count))
        return count / (time.perf_counter() - began)

    async def _latency(self, count: int) -> tuple[float, float]:
        found: list[float] = []

        async def one_by_one() -> None:
            await asyncio.sleep(1)  # until it listens
            for number in range(1, count + 1):
                async with self._resources.sessions.begin() as session:
                    await Queue(session).put(Nothing())
                began = time.perf_counter()
                await self._until(number)
                found.append(time.perf_counter() - began)

        await self._work(one_by_one)
        return statistics.median(found), statistics.quantiles(found, n=100)[98]

    async def _work(self, while_working: Callable[[], Awaitable[None]]) -> None:
        self._done, stop = 0, asyncio.Event()
        handlers = (handle(Nothing, self._nothing), handle(SendMail, self._mail))
        worker = Worker(self._resources, handlers=handlers, schedule=())
        working = asyncio.create_task(worker.run(stop))
        await while_working()
        stop.set()
        await working

    async def _until(self, count: int) -> None:
        while self._done < count:
            self._changed.clear()
            await self._changed.wait()

    def _count(self) -> None:
        self._done += 1
        self._changed.set()

    async def _nothing(self, _: Nothing, __: Work) -> None:
        self._count()

    async def _mail(self, job: SendMail, work: Work) -> None:
        await send_mail(job, work)
        self._count()


async def run(postgres: EmbeddedPostgres, home: Path, jobs: int) -> None:
    await migrate(postgres.owner_url, app_role="zenith_app", notice=print)
    settings = Settings(
        _env_file=None,
        DATABASE_URL=SecretStr(postgres.app_url),
        ZENITH_HOME=home,
    )
    async with open_resources(settings) as resources:
        print(f"one worker, {CONCURRENCY} jobs at a time, taken by {BATCH}")
        await Bench(resources).measure(jobs, latencies=500)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=5000)
    jobs = parser.parse_args().jobs
    with Path(os.devnull).open("w") as nowhere:
        configure_logging(style="json", level="INFO", output=nowhere)
        _measure(jobs)


def _measure(jobs: int) -> None:
    with tempfile.TemporaryDirectory(prefix="zenith-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with EmbeddedPostgres(home / "state") as postgres:
            uvloop.run(run(postgres, home, jobs))


if __name__ == "__main__":
    main()
