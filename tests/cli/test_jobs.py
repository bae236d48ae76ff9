"""``zenith jobs``, as a process on a real database."""

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.connections import Connection
from app.queue import Queue
from tests.cli.forks import Forks
from tests.processes import run
from tests.routers.test_jobs import Chore, become, new_type, put

NO_JOB = str(2**40)


@pytest.fixture
def type_() -> str:
    """A kind of job that no other test has."""
    return new_type()


Jobs = Callable[..., Awaitable[subprocess.CompletedProcess[str]]]


@pytest.fixture
def jobs(settings: Settings, forks: Forks) -> Jobs:
    """Run a command on the database of this test's worker."""
    assert settings.DATABASE_URL is not None
    url = settings.DATABASE_URL.get_secret_value()

    async def run_one(*arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            forks.run,
            "jobs",
            *arguments,
            home=settings.ZENITH_HOME,
            DATABASE_URL=url,
        )

    return run_one


async def status_of(owner: Connection, id: int) -> str | None:
    query = "SELECT status::text FROM jobs.queue WHERE id = $1"
    status: str | None = await owner.fetchval(query, id)
    return status


async def hold(owner: Connection, id: int) -> None:
    await become(owner, id, "failed")
    await owner.execute(
        "INSERT INTO jobs.log (job_id, status, priority, entrypoint, traceback)"
        " VALUES ($1, 'failed', 0, 'x', $2)",
        id,
        '{"exception_message": "the why\\nand more", "traceback": "the\\nwhere"}',
    )


class TestList:
    async def test_shows_the_newest_first_and_why_they_are_held(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        held, waiting = await put(session, times=2, type=type_)
        await hold(owner_connection, held)
        result = await jobs("list", "--type", type_)
        assert (result.returncode, result.stderr) == (0, "")
        _, *rows = result.stdout.splitlines()
        shown = [row.split(maxsplit=6) for row in rows]
        assert [row[:4] for row in shown] == [
            [str(waiting), type_, "queued", "0"],
            [str(held), type_, "held", "4"],
        ]
        assert shown[1][6].strip() == "the why"

    async def test_shows_some_of_one_status(
        self, jobs: Jobs, session: AsyncSession, type_: str
    ) -> None:
        *_, newest = await put(session, times=3, type=type_)
        options = ("--type", type_, "--status", "queued", "--size", "1")
        result = await jobs("list", *options)
        assert result.returncode == 0
        _, row, note = result.stdout.splitlines()
        assert row.split()[0] == str(newest)
        assert note == "The newest 1 of 3."

    async def test_an_unknown_status_is_refused(self, jobs: Jobs) -> None:
        result = await jobs("list", "--status", "failed")
        assert result.returncode == 2
        assert "queued, running or held" in result.stderr

    def test_starts_the_database_of_a_home(self, migrated_home: Path) -> None:
        result = run("jobs", "list", home=migrated_home)
        assert (result.returncode, result.stderr) == (0, "")
        assert len(result.stdout.splitlines()) == 1


class TestShow:
    async def test_shows_what_has_happened(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        (id_,) = await put(session, type=type_)
        await hold(owner_connection, id_)
        result = await jobs("show", str(id_))
        assert (result.returncode, result.stderr) == (0, "")
        lines = result.stdout.splitlines()
        assert lines[0] == f"Job {id_}, {type_}: held, failed 4 times"
        assert lines[2] == '  {"n":0}'
        assert lines[3].endswith(" queued")
        assert lines[4].endswith(" held")
        assert lines[5:] == ["    the", "    where"]


class TestRetry:
    async def test_lets_a_held_job_begin(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        (id_,) = await put(session, type=type_)
        await hold(owner_connection, id_)
        result = await jobs("retry", str(id_))
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == f"Job {id_} waits for a worker.\n"
        assert await status_of(owner_connection, id_) == "queued"

    async def test_lets_all_held_ones_of_a_kind_begin(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        held, also_held, waiting = await put(session, times=3, type=type_)
        for id_ in (held, also_held):
            await hold(owner_connection, id_)
        result = await jobs("retry", "--held", type_)
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == "2 jobs wait.\n"
        for id_ in (held, also_held, waiting):
            assert await status_of(owner_connection, id_) == "queued"

    async def test_a_conflict_is_one_clear_line(
        self, jobs: Jobs, session: AsyncSession, owner_connection: Connection
    ) -> None:
        key = new_type()
        held = await Queue(session).put(Chore(), key=key)
        assert held is not None
        await session.commit()
        await hold(owner_connection, held)
        await Queue(session).put(Chore(), key=key)
        await session.commit()
        result = await jobs("retry", str(held))
        assert result.returncode == 2
        assert result.stderr == "zenith: Another job does the same already.\n"


class TestDiscard:
    async def test_takes_a_job_away(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        (id_,) = await put(session, type=type_)
        result = await jobs("discard", str(id_))
        assert (result.returncode, result.stderr) == (0, "")
        assert result.stdout == f"Job {id_} is discarded.\n"
        assert await status_of(owner_connection, id_) is None

    async def test_one_that_runs_is_one_clear_line(
        self,
        jobs: Jobs,
        session: AsyncSession,
        owner_connection: Connection,
        type_: str,
    ) -> None:
        (id_,) = await put(session, type=type_)
        await become(owner_connection, id_, "picked")
        result = await jobs("discard", str(id_))
        assert result.returncode == 2
        assert result.stderr == "zenith: A worker is doing this job now.\n"
        assert await status_of(owner_connection, id_) == "picked"


@pytest.mark.parametrize("command", ["show", "retry", "discard"])
async def test_a_missing_job_is_one_clear_line(jobs: Jobs, command: str) -> None:
    result = await jobs(command, NO_JOB)
    assert result.returncode == 2
    assert result.stderr == "zenith: No job has this id.\n"
