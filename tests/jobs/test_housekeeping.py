"""What is out of date is deleted, in batches, and nothing else."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from prometheus_client import REGISTRY
from pydantic import SecretStr

from app.db.connections import Connection
from app.db.repositories.housekeeping import (
    DEVICES_FOR,
    ENDS_FOR,
    HELD_FOR,
    HISTORIES_FOR,
    INVITATIONS_FOR,
)
from app.db.tenancy import enter
from app.jobs.handlers import Work
from app.jobs.housekeeping import sweep
from app.jobs.registry import SCHEDULE
from app.models.base import new_id
from app.models.organizations import Organization
from app.queue.housekeeping import Sweep, Swept
from app.resources import Resources, open_resources
from tests.conftest import settings_for
from tests.databases import Databases
from tests.factories.users import user

BATCH = 3
SOON, HOUR = timedelta(minutes=5), timedelta(hours=1)
OLD_JOB = HISTORIES_FOR + HOUR


class House:
    """A database of one's own, to be swept."""

    def __init__(self, resources: Resources, owner: Connection) -> None:
        self.resources = resources
        self.owner = owner

    async def sweep(self, what: Swept) -> float:
        """Sweep; return how many rows the metric says that there were."""
        before = self._counted(what)
        async with self.resources.sessions() as session:
            await sweep(Sweep(what=what), Work(self.resources, session))
        return self._counted(what) - before

    async def left(self, table: str, key: str = "id") -> list[object]:
        rows = await self.owner.fetch(f"SELECT {key} FROM {table} ORDER BY {key}")
        return [row[0] for row in rows]

    async def person(self) -> UUID:
        row = user()
        async with self.resources.sessions.begin() as session:
            session.add(row)
        return row.id

    @staticmethod
    def _counted(what: Swept) -> float:
        labels = {"what": str(what)}
        return REGISTRY.get_sample_value("housekeeping_rows_total", labels) or 0


@pytest.fixture
async def house(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setattr("app.jobs.housekeeping.BATCH", BATCH)
    async with databases.fresh() as database:
        settings = settings_for(DATABASE_URL=SecretStr(database.app_url))
        owner = await asyncpg.connect(database.owner_url)
        async with open_resources(settings) as resources:
            yield House(resources, owner)
        await owner.close()


def ids_of(ages: Sequence[timedelta]) -> list[tuple[UUID, timedelta]]:
    return [(new_id(), age) for age in ages]


class TestSweep:
    @pytest.mark.parametrize("gone", [0, 2, BATCH, 2 * BATCH + 1])
    async def test_sessions_that_have_ended_go(self, house: House, gone: int) -> None:
        whose = await house.person()
        rows = ids_of([-SOON] * gone + [SOON, HOUR])
        await house.owner.executemany(
            "INSERT INTO user_sessions (id, user_id, device, created_at, last_used_at,"
            " expires_at, generation, token_hash)"
            " VALUES ($1, $2, 'x', now(), now(), now() + $3::interval, 1, $4)",
            [(id_, whose, left, id_.bytes) for id_, left in rows],
        )
        assert await house.sweep(Swept.SESSIONS) == gone
        live = sorted(id_ for id_, left in rows if left > timedelta(0))
        assert await house.left("user_sessions") == live

    async def test_tokens_that_have_expired_go(self, house: House) -> None:
        rows = ids_of([-SOON] * (2 * BATCH + 1) + [SOON, HOUR])
        await house.owner.executemany(
            "INSERT INTO email_tokens (id, user_id, purpose, email, token_hash,"
            " created_at, expires_at)"
            " VALUES ($1, $2, 'verify_email', 'x@x.test', $3, now(),"
            " now() + $4::interval)",
            [(id_, await house.person(), id_.bytes, left) for id_, left in rows],
        )
        assert await house.sweep(Swept.EMAIL_TOKENS) == 2 * BATCH + 1
        live = sorted(id_ for id_, left in rows if left > timedelta(0))
        assert await house.left("email_tokens") == live

    async def test_devices_that_were_not_seen_for_long_go(self, house: House) -> None:
        whose = await house.person()
        old, young = DEVICES_FOR + HOUR, DEVICES_FOR - HOUR
        rows = ids_of([old] * (2 * BATCH) + [young, SOON])
        await house.owner.executemany(
            "INSERT INTO user_devices (id, user_id, device, last_seen_at)"
            " VALUES ($1, $2, $1::uuid::text, now() - $3::interval)",
            [(id_, whose, age) for id_, age in rows],
        )
        assert await house.sweep(Swept.DEVICES) == 2 * BATCH
        live = sorted(id_ for id_, age in rows if age < DEVICES_FOR)
        assert await house.left("user_devices") == live

    async def test_exports_that_have_expired_go_with_their_files(
        self, house: House
    ) -> None:
        gone, left = 2 * BATCH + 1, await house.person()
        rows = [(await house.person(), -SOON) for _ in range(gone)] + [(left, SOON)]
        await house.owner.executemany(
            "INSERT INTO data_exports (user_id, requested_at, expires_at, key)"
            " VALUES ($1, now(), now() + $2::interval, $1::uuid::text)",
            rows,
        )
        assert await house.sweep(Swept.EXPORTS) == gone
        assert await house.left("data_exports", "user_id") == [left]
        keys = await house.owner.fetch(
            "SELECT convert_from(payload, 'UTF8')::jsonb ->> 'key' FROM jobs.queue"
            " WHERE entrypoint = 'files.remove'"
        )
        assert {key for (key,) in keys} == {str(id_) for id_, _ in rows[:-1]}

    async def test_invitations_that_expired_long_ago_go(self, house: House) -> None:
        async with house.resources.sessions.begin() as session:
            within = new_id()
            await enter(session, organization_id=within)
            session.add(Organization(id=within, name="x", slug="x"))
        await house.owner.execute("SET app.system = 'on'")  # past row-level security
        statuses = ["pending", "accepted", "declined", "revoked"]
        old, young = INVITATIONS_FOR + HOUR, INVITATIONS_FOR - HOUR
        rows = ids_of([old] * (2 * BATCH + 1) + [young, -SOON])
        await house.owner.executemany(
            "INSERT INTO invitations (id, organization_id, email, role, status,"
            " token_id, token_hash, expires_at, created_at, updated_at)"
            " VALUES ($1, $2, $1::uuid::text, 'member', $3, $1, $4,"
            " now() - $5::interval, now(), now())",
            [
                (id_, within, statuses[number % 4], id_.bytes, age)
                for number, (id_, age) in enumerate(rows)
            ],
        )
        assert await house.sweep(Swept.INVITATIONS) == 2 * BATCH + 1
        left = sorted(id_ for id_, age in rows if age < INVITATIONS_FOR)
        assert await house.left("invitations") == left

    async def test_what_somebody_else_has_locked_is_left_for_the_next_time(
        self, house: House
    ) -> None:
        whose, locked = await house.person(), new_id()
        await house.owner.executemany(
            "INSERT INTO user_devices (id, user_id, device, last_seen_at)"
            " VALUES ($1, $2, $1::uuid::text, now() - $3::interval)",
            [(id_, whose, DEVICES_FOR + HOUR) for id_ in (locked, new_id(), new_id())],
        )
        async with house.owner.transaction():
            lock = "SELECT FROM user_devices WHERE id = $1 FOR UPDATE"
            await house.owner.execute(lock, locked)
            assert await house.sweep(Swept.DEVICES) == 2
        assert await house.left("user_devices") == [locked]
        assert await house.sweep(Swept.DEVICES) == 1


class TestSweepOfJobs:
    async def test_histories_of_jobs_that_are_gone_go(self, house: House) -> None:
        for number in range(2 * BATCH):
            await log(house, number, OLD_JOB)
        await log(house, 100, HISTORIES_FOR - HOUR)
        assert await house.sweep(Swept.JOBS) == 2 * BATCH
        assert await house.left("jobs.log", "job_id") == [100]

    @pytest.mark.parametrize("status", ["queued", "picked", "failed"])
    async def test_histories_of_jobs_in_the_queue_stay(
        self, house: House, status: str
    ) -> None:
        id_ = await put(house, status, OLD_JOB)
        await log(house, id_, OLD_JOB)
        await log(house, id_ + 1, OLD_JOB)
        assert await house.sweep(Swept.JOBS) == 1
        assert await house.left("jobs.log", "job_id") == [id_]
        assert await house.left("jobs.queue") == [id_]

    async def test_jobs_that_were_done_by_a_worker_that_died_go(
        self, house: House
    ) -> None:
        done = [
            await put(house, "successful", ENDS_FOR + SOON) for _ in range(BATCH + 1)
        ]
        await log(house, done[0], OLD_JOB)
        just_done = await put(house, "successful", timedelta(0))
        assert await house.sweep(Swept.JOBS) == BATCH + 2
        assert await house.left("jobs.queue") == [just_done]
        ended = "SELECT DISTINCT status::text FROM jobs.log"
        assert await house.owner.fetchval(ended) == "successful"
        assert await house.left("jobs.log", "job_id") == done

    async def test_held_jobs_go_when_nobody_has_seen_to_them(
        self, house: House
    ) -> None:
        await put(house, "failed", HELD_FOR + SOON)
        left = await put(house, "failed", HELD_FOR - SOON)
        assert await house.sweep(Swept.JOBS) == 1
        assert await house.left("jobs.queue") == [left]


async def put(house: House, status: str, age: timedelta) -> int:
    id_: int = await house.owner.fetchval(
        "INSERT INTO jobs.queue (priority, status, entrypoint, created, updated)"
        " VALUES (0, $1::text::jobs.status, 'test.chore', now() - $2::interval,"
        " now() - $2::interval) RETURNING id",
        status,
        age,
    )
    return id_


async def log(house: House, job: int, age: timedelta) -> None:
    await house.owner.execute(
        "INSERT INTO jobs.log (job_id, status, priority, entrypoint, created)"
        " VALUES ($1, 'picked', 0, 'test.chore', now() - $2::interval)",
        job,
        age,
    )


def test_each_kind_has_its_time() -> None:
    jobs = [periodic.job for periodic in SCHEDULE]
    swept = [job.what for job in jobs if isinstance(job, Sweep)]
    assert sorted(swept) == sorted(Swept)
