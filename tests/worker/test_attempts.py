"""What becomes of a job: done once, tried again, held."""

import asyncio
from datetime import timedelta

from app.db.repositories.jobs import MAX_EVENTS, JobReader, JobRepository
from app.queue import Queue
from app.worker.worker import BATCH
from tests.worker.conftest import Work
from tests.worker.program import Fail, Hang, Write


async def test_a_committed_job_is_done(work: Work) -> None:
    async with work.working():
        await work.put(Write(n=1))
        await work.until_done()
    assert await work.effects() == [1]


async def test_a_job_of_a_rolled_back_transaction_never_was(work: Work) -> None:
    async with work.working():
        async with work.resources.sessions() as session:
            await Queue(session).put(Write(n=1))
            await session.rollback()
        await work.put(Write(n=2))
        await work.until_done()
    assert await work.attempts() == [2]


async def test_a_job_waits_for_the_commit(work: Work) -> None:
    async with work.working():
        async with work.resources.sessions.begin() as session:
            await Queue(session).put(Write(n=1))
            await work.put(Write(n=2))
            await work.until_begun(2)
            assert await work.attempts() == [2]
        await work.until_done()
    assert await work.effects() == [2, 1]


async def test_a_failure_is_taken_back_and_tried_again(work: Work) -> None:
    async with work.working():
        await work.put(Fail(n=1, times=2))
        await work.until_done()
    assert await work.attempts() == [1, 1, 1]
    assert await work.effects() == [1]
    assert await work.statuses() == {}


async def test_a_job_that_fails_too_often_is_held(work: Work) -> None:
    (job,) = await work.put(Fail(n=1, times=9))
    async with work.working():
        await work.until_done()
    assert await work.statuses() == {job: "failed"}
    assert len(await work.attempts()) == 1 + Fail.retries.limit
    assert await work.effects() == []


async def test_a_job_that_gives_up_is_held_at_once(work: Work) -> None:
    (job,) = await work.put(Fail(n=1, times=0, final=True))
    async with work.working():
        await work.until_done()
    assert await work.statuses() == {job: "failed"}
    assert await work.attempts() == [1]


async def test_a_job_that_hangs_is_ended(work: Work) -> None:
    (job,) = await work.put(Hang())
    async with work.working():
        await work.until_done()
    assert await work.statuses() == {job: "failed"}


async def test_a_payload_of_another_kind_is_held_and_not_quoted(work: Work) -> None:
    await work.owner.execute(
        "INSERT INTO jobs.queue (priority, status, entrypoint, payload)"
        """ VALUES (0, 'queued', 'test.write', '{"n": "marker"}')"""
    )
    async with work.working():
        await work.until_done()
    logged = await work.owner.fetchval(
        "SELECT traceback::text FROM jobs.log WHERE status = 'failed'"
    )
    assert "not one of this kind" in logged
    assert "marker" not in logged


async def test_kinds_that_a_worker_does_not_know_wait(work: Work) -> None:
    class Newer(Write):
        type = "test.newer"

    (job,) = await work.put(Newer(n=1))
    async with work.working():
        await work.put(Write(n=2))
        await work.until_begun(2)
        await asyncio.sleep(0.5)
    assert await work.statuses() == {job: "queued"}


async def test_of_equal_keys_one_waits(work: Work) -> None:
    first = await work.put(Write(n=1), key="same")
    assert first != [None]
    assert await work.put(Write(n=2), key="same") == [None]
    async with work.working():
        await work.until_done()
    assert await work.put(Write(n=3), key="same") != [None]
    assert await work.effects() == [1]


async def test_a_delayed_job_is_begun_later(work: Work) -> None:
    async with work.working():
        await work.put(Write(n=1), delay=timedelta(seconds=1))
        await work.put(Write(n=2))
        await work.until_done()
    assert await work.effects() == [2, 1]
    waited = await work.owner.fetchval(
        "SELECT min(b.created) - min(q.created) >= interval '1 second'"
        " FROM jobs.log b JOIN jobs.log q USING (job_id)"
        " WHERE b.status = 'picked' AND q.status = 'queued' AND b.job_id ="
        " (SELECT min(job_id) FROM jobs.log)"
    )
    assert waited


async def test_a_more_urgent_job_is_begun_first(work: Work) -> None:
    class Urgent(Write):
        type = "test.write"
        priority = 10

    await work.put(*(Write(n=n) for n in range(20)))
    await work.put(Urgent(n=99))
    async with work.working():
        await work.until_done()
    picked = await work.owner.fetch(
        "SELECT job_id, priority FROM jobs.log WHERE status = 'picked' ORDER BY id"
    )
    assert 10 in {row["priority"] for row in picked[:BATCH]}
    assert sorted(await work.effects()) == [*range(20), 99]


async def test_all_held_jobs_begin_again_and_of_equal_keys_the_last(
    work: Work,
) -> None:
    held = []
    for key in ("same", "same", None, None):
        held += await work.put(Write(n=1), key=key)
        await work.owner.execute("UPDATE jobs.queue SET status = 'failed'")
    async with work.resources.sessions.begin() as session:
        assert await JobRepository(session).retry_held("test.write") == 3
    waiting = {
        job for job, status in (await work.statuses()).items() if status == "queued"
    }
    assert waiting == set(held[1:])


async def test_a_job_that_took_too_long_says_so(work: Work) -> None:
    (job,) = await work.put(Hang())
    async with work.working():
        await work.until_done()
    history = await JobReader(work.resources.reader).history(job or 0)
    assert history.job is not None
    assert history.job.error == "TimeoutError"


async def test_of_a_long_history_the_end_is_shown(work: Work) -> None:
    await work.owner.execute(
        "INSERT INTO jobs.log (job_id, status, priority, entrypoint, traceback)"
        " SELECT 1, 'queued', 0, 'x', jsonb_build_object('exception_message', n::text)"
        " FROM generate_series(0, $1::int) n",
        MAX_EVENTS,
    )
    events = (await JobReader(work.resources.reader).history(1)).events
    assert [event.error for event in events] == [
        str(number) for number in range(1, MAX_EVENTS + 1)
    ]
