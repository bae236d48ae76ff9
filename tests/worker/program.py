"""Workers as processes that can be killed, with jobs of the tests' own."""

import asyncio
import os
import signal
from datetime import timedelta
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from typing import Literal

from pydantic import SecretStr
from sqlalchemy import event, text

from app.jobs.handlers import GiveUp, Work, handle
from app.jobs.registry import Periodic
from app.queue import Job, Retries
from app.resources import open_resources
from app.worker.worker import Pace, Worker
from tests.conftest import settings_for

# Quick enough for a test, and patient enough for a machine that is busy.
PACE = Pace(
    silence=timedelta(seconds=2),
    poll=timedelta(seconds=0.2),
    drain=timedelta(seconds=2),
    pause=timedelta(seconds=0.2),
)
TABLE = """
    CREATE TABLE effects (
      n int, pid int, tries int, at timestamptz DEFAULT clock_timestamp());
    CREATE TABLE attempts (n int, pid int);
    GRANT ALL ON effects, attempts TO zenith_app;
"""

# All that a worker needs is imported once; each worker is a fork of that.
_processes = get_context("forkserver")
_processes.set_forkserver_preload(["tests.worker.program"])


class Write(Job):
    """Writes a row when some time has passed."""

    type = "test.write"
    n: int
    seconds: float = 0


class Die(Job):
    """Kills its worker."""

    type = "test.die"
    n: int = 0


class Fail(Job):
    """Fails as often as it is told to, then writes a row."""

    type = "test.fail"
    retries = Retries(limit=3, first=timedelta(milliseconds=50))
    n: int
    times: int
    final: bool = False


class Odd(Job):
    """Ends in a way that nobody would think of."""

    type = "test.odd"
    retries = Retries(limit=1, first=timedelta(milliseconds=50))
    n: int
    way: Literal["text", "cancelled", "torn"]


class Hang(Job):
    type = "test.hang"
    retries = Retries(limit=0)
    time_limit = timedelta(milliseconds=200)


async def write(job: Write, work: Work) -> None:
    await _attempt(job.n, work)
    await _effect(job.n, work)
    await asyncio.sleep(job.seconds)


async def die(job: Die, work: Work) -> None:
    await _attempt(job.n, work)
    os.kill(os.getpid(), signal.SIGKILL)


async def fail(job: Fail, work: Work) -> None:
    tries = await _attempt(job.n, work)
    await _effect(job.n, work)  # taken back by a failure
    if job.final:
        raise GiveUp("it cannot be done")
    if tries <= job.times:
        raise ValueError(f"attempt {tries} of {job.n}")


async def odd(job: Odd, work: Work) -> None:
    await _attempt(job.n, work)
    await _effect(job.n, work)
    if job.way == "text":
        raise ValueError("no text \0 for \ud800 PostgreSQL")
    if job.way == "cancelled":
        raise asyncio.CancelledError

    def tear(_: object) -> None:
        raise ConnectionResetError

    # It is committed, and nobody hears of it.
    event.listen(work.session.sync_session, "after_commit", tear, once=True)


async def hang(_: Hang, __: Work) -> None:
    await asyncio.sleep(3600)


HANDLERS = (
    handle(Write, write),
    handle(Die, die),
    handle(Fail, fail),
    handle(Odd, odd),
    handle(Hang, hang),
)


async def _attempt(n: int, work: Work) -> int:
    """Note an attempt, in a transaction of its own; return how many there were."""
    async with work.resources.sessions.begin() as session:
        noted = "INSERT INTO attempts (n, pid) VALUES (:n, :pid)"
        await session.execute(text(noted), {"n": n, "pid": os.getpid()})
        counted = text("SELECT count(*) FROM attempts WHERE n = :n")
        return int(await session.scalar(counted, {"n": n}) or 0)


async def _effect(n: int, work: Work) -> None:
    written = "INSERT INTO effects (n, pid) VALUES (:n, :pid)"
    await work.session.execute(text(written), {"n": n, "pid": os.getpid()})


def worker(url: str, *, with_ticks: bool = False) -> BaseProcess:
    """Start a worker; whoever asks for it kills it."""
    process = _processes.Process(
        target=run, args=(url,), kwargs={"with_ticks": with_ticks}, daemon=True
    )
    process.start()
    return process


def run(url: str, *, with_ticks: bool) -> None:
    asyncio.run(_run(url, with_ticks=with_ticks))


async def _run(url: str, *, with_ticks: bool) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    ticks = (Periodic("ticks", "*/2 * * * * *", Write(n=-1)),) if with_ticks else ()
    settings = settings_for(DATABASE_URL=SecretStr(url))
    async with open_resources(settings) as resources:
        await Worker(resources, handlers=HANDLERS, schedule=ticks, pace=PACE).run(stop)
