"""Workers that die, stall and stop, as processes that really do."""

import asyncio
import os
import random
import signal
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.process import BaseProcess

import asyncpg

from tests.worker.conftest import Work
from tests.worker.program import Die, Write

Start = Callable[..., BaseProcess]

KILLS = 20
JOBS = 5  # that are new before each kill
HELD_AFTER = 3


async def ended(process: BaseProcess) -> int | None:
    """Wait for the end of a process; return its exit code."""
    await asyncio.to_thread(process.join, 60)
    return process.exitcode


async def test_jobs_of_killed_workers_are_done_once(work: Work, start: Start) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    for kill in range(KILLS):
        first = kill * JOBS
        await work.put(*(Write(n=first + n, seconds=0.05) for n in range(JOBS)))
        worker = start()
        await work.until_begun(first)
        await asyncio.sleep(chance.uniform(0, 0.2))
        worker.kill()
        await ended(worker)
    start()
    await work.until_done()
    # Whoever was there at several deaths may be held for it, and is not lost.
    for held in await work.statuses():
        await work.retry(held)
    await work.until_done()

    assert sorted(await work.effects()) == list(range(KILLS * JOBS)), f"seed {seed}"
    assert await work.statuses() == {}, f"seed {seed}"


async def test_a_job_that_kills_its_worker_is_held_and_others_are_done(
    work: Work, start: Start
) -> None:
    others = [Write(n=n, seconds=0.05) for n in range(1, 15)]
    (poison, *_) = await work.put(Die(), *others)
    for _ in range(HELD_AFTER):
        assert await ended(start()) == -signal.SIGKILL
    start()
    await work.until_done()

    assert await work.statuses() == {poison: "failed"}
    assert (await work.attempts()).count(0) == HELD_AFTER
    assert sorted(await work.effects()) == list(range(1, 15))


async def test_several_workers_share_the_jobs(work: Work, start: Start) -> None:
    await work.put(*(Write(n=n, seconds=0.3) for n in range(60)))
    start()
    start()
    await work.until_done()

    assert sorted(await work.effects()) == list(range(60))
    workers = await work.owner.fetch("SELECT DISTINCT pid FROM effects")
    assert len(workers) == 2


async def test_a_worker_that_stops_ends_what_it_does(work: Work, start: Start) -> None:
    worker = start()
    await work.put(Write(n=1, seconds=1))
    await work.until_begun(1)
    worker.terminate()

    assert await ended(worker) == 0
    assert await work.effects() == [1]
    assert await work.statuses() == {}


async def test_a_worker_that_stops_puts_back_what_takes_long(
    work: Work, start: Start
) -> None:
    (job,) = await work.put(Write(n=1, seconds=3600))
    worker = start()
    await work.until_begun(1)
    worker.terminate()

    assert await ended(worker) == 0
    assert await work.effects() == []
    assert await work.statuses() == {job: "queued"}
    attempts = "SELECT attempts FROM jobs.queue WHERE id = $1"
    assert await work.owner.fetchval(attempts, job) == 0


async def test_a_stalled_worker_loses_its_job(work: Work, start: Start) -> None:
    stalled = start()
    await work.put(Write(n=1, seconds=1))
    await work.until_begun(1)
    assert stalled.pid is not None
    os.kill(stalled.pid, signal.SIGSTOP)
    start()
    await work.until_done()
    os.kill(stalled.pid, signal.SIGCONT)
    stalled.terminate()

    assert await ended(stalled) == 0
    assert len(await work.attempts()) == 2
    assert await work.effects() == [1]  # the other one's was taken back


async def test_what_is_due_is_done_once_by_all_workers(
    work: Work, start: Start
) -> None:
    for _ in range(2):
        start(with_ticks=True)

    async def has_ticked() -> bool:
        return len(await work.effects()) >= 3

    await work.until(has_ticked)
    gaps = await work.owner.fetch(
        "SELECT created - lag(created) OVER (ORDER BY created) AS gap"
        " FROM jobs.log WHERE status = 'queued'"
    )
    # It is due every other second; two that did not know each other would be at once.
    assert min(row["gap"] for row in gaps if row["gap"]) > timedelta(seconds=0.3)


async def test_a_worker_waits_for_a_database_that_is_away(
    work: Work, start: Start
) -> None:
    start()
    await work.put(Write(n=1))
    await work.until_done()
    superuser = await asyncpg.connect(work.database.superuser_url)
    await superuser.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = 'zenith_app'"
    )
    await superuser.close()
    await work.put_somehow(Write(n=2))
    await work.until_done()
    assert 2 in await work.effects()
