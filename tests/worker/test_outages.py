"""Jobs while the database comes and goes, and ends that are no ordinary failure."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.worker.conftest import Work
from tests.worker.program import Odd, Write

CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = $1 AND usename = 'zenith_app' AND query LIKE $2
"""


@contextlib.asynccontextmanager
async def as_superuser(
    work: Work,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    # From another database: this one may let nobody in.
    url = work.database.superuser_url.replace(work.database.name, "postgres")
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def test_an_outage_holds_no_job_and_loses_none(work: Work) -> None:
    name = work.database.name
    async with as_superuser(work) as superuser, work.working():
        # The longer one keeps the worker from beginning anew while they end.
        await work.put(*(Write(n=n, seconds=0.3) for n in range(8)))
        await work.put(Write(n=8, seconds=1.5))
        await work.until_begun(8)
        await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        await superuser.execute(CUT, name, "%")
        await asyncio.sleep(1)
        await superuser.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        await work.until_done()
    assert await work.statuses() == {}
    assert sorted(await work.effects()) == list(range(9))


async def test_a_worker_that_cannot_ask_begins_anew_beside_a_long_job(
    work: Work,
) -> None:
    async with work.working():
        (long,) = await work.put(Write(n=1, seconds=3600))
        await work.until_begun(1)
        await work.owner.execute("REVOKE UPDATE ON jobs.queue FROM zenith_app")
        await asyncio.sleep(0.5)
        await work.owner.execute("GRANT UPDATE ON jobs.queue TO zenith_app")
        await work.put(Write(n=2))
        await work.until_begun(2)
    assert (await work.statuses())[long or 0] == "queued"


async def test_a_commit_that_nobody_heard_of_is_not_done_again(work: Work) -> None:
    async with work.working():
        await work.put(Odd(n=1, way="torn"))
        await work.until_done()
        await work.put(Write(n=2))
        await work.until_done()
    assert await work.effects() == [1, 2]
    assert await work.attempts() == [1, 2]


@pytest.mark.parametrize("way", ["text", "cancelled"])
async def test_an_odd_end_is_a_failure_like_any_other(work: Work, way: str) -> None:
    (job,) = await work.put(Odd.model_validate({"n": 1, "way": way}))
    async with work.working():
        await work.put(*(Write(n=n) for n in range(2, 40)))
        await work.until_done()
    assert await work.statuses() == {job: "failed"}
    assert (await work.attempts()).count(1) == 1 + Odd.retries.limit
    assert sorted(await work.effects()) == list(range(2, 40))
