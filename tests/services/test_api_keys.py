"""What using an API key writes and waits for, and what it costs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import Response
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.connections import Connection
from app.db.repositories.api_keys import ApiKeyRepository
from app.db.repositories.holds import hold_key
from app.db.repositories.members import MembershipRepository
from app.db.repositories.organizations import OrganizationRepository
from app.db.tenancy import enter
from app.models.base import utc_now
from app.policy import Permission, Role
from app.services.departures import depart
from tests.conftest import client_of, running
from tests.factories.api_keys import HEADER, Program, api_key
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import account

READ, WRITE = Permission.ORGANIZATION_READ, Permission.ORGANIZATION_WRITE
HOUR = timedelta(hours=1)
PATIENCE_SECONDS = 20
BLOCKED = """
    SELECT count(*) FROM pg_locks
    WHERE NOT granted AND pg_blocking_pids(pid) @> ARRAY[$1::int]
"""
KEPT = "SELECT last_used_at, key_hash FROM api_keys WHERE id = $1"


async def rename(key: Program, of: Tenant) -> Response:
    return await key.client.patch(of.path, json={"name": "Renamed"})


async def hold(session: AsyncSession, key: Program) -> int:
    """Begin to write by a key; return the process of the database that does."""
    within = key.row.organization_id
    await enter(session, organization_id=within)
    role = await hold_key(
        session,
        key_id=key.row.id,
        created_by=key.row.created_by,
        organization_id=within,
    )
    assert role is not None
    connection = await (await session.connection()).get_raw_connection()
    assert connection.driver_connection is not None
    pid: int = connection.driver_connection.get_server_pid()
    return pid


async def until_blocked_by(pid: int, observer: Connection) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await observer.fetchval(BLOCKED, pid):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.01)


@pytest.fixture
async def observer(settings: Settings) -> AsyncIterator[Connection]:
    assert settings.DATABASE_ADMIN_URL is not None
    url = settings.DATABASE_ADMIN_URL.get_secret_value()
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


class TestRevocation:
    async def test_waits_for_what_the_key_writes(
        self, app: FastAPI, session: AsyncSession, observer: Connection
    ) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, WRITE)
        pid = await hold(session, key)
        path = f"{org.path}/api-keys/{key.row.id}"
        revoking = asyncio.create_task(org.owner.client.delete(path))
        await until_blocked_by(pid, observer)
        assert not revoking.done()
        await session.commit()
        assert (await revoking).status_code == 204

    async def test_that_was_first_refuses_what_has_begun(
        self, app: FastAPI, owner_connection: Connection, observer: Connection
    ) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, WRITE)
        async with owner_connection.transaction():
            await owner_connection.execute(
                "DELETE FROM api_keys WHERE id = $1", key.row.id
            )
            writing = asyncio.create_task(rename(key, org))  # it is let in
            await until_blocked_by(owner_connection.get_server_pid(), observer)
        assert (await writing).status_code == 401

    async def test_goes_in_line_with_the_removal_of_who_revokes(
        self,
        app: FastAPI,
        session: AsyncSession,
        observer: Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("app.web.routing.ATTEMPTS", 1)  # a deadlock would show
        org = await tenant(app)
        admin = await member(app, org, Role.ADMIN)
        key = await api_key(app, org, org.owner, Permission.MEMBERS_WRITE)
        # What the key begins, as services do: the organization, itself, the member.
        await enter(session, organization_id=org.id)
        await OrganizationRepository(session, org.id).hold()
        pid = await hold(session, key)
        path = f"{org.path}/api-keys/{key.row.id}"
        revoking = asyncio.create_task(admin.client.delete(path))
        await until_blocked_by(pid, observer)
        members = MembershipRepository(session, org.id)
        await depart(session, await members.lock_member(admin.user.id))
        await session.commit()
        assert (await revoking).status_code == 404
        assert (await key.client.get(f"{org.path}/members")).status_code == 403


class TestDeactivationOfTheCreator:
    async def test_waits_for_what_the_key_writes(
        self, app: FastAPI, session: AsyncSession, observer: Connection
    ) -> None:
        org, superuser = await tenant(app), await account(app, is_superuser=True)
        key = await api_key(app, org, org.owner, WRITE)
        pid = await hold(session, key)
        path, off = f"/api/v1/users/{org.owner.user.id}", {"is_active": False}
        switching = asyncio.create_task(superuser.client.patch(path, json=off))
        await until_blocked_by(pid, observer)
        assert not switching.done()
        await session.commit()
        assert (await switching).status_code == 200
        assert (await rename(key, org)).status_code == 401

    async def test_that_was_first_refuses_what_has_begun(
        self, app: FastAPI, owner_connection: Connection, observer: Connection
    ) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, WRITE)
        who = org.owner.user.id
        async with owner_connection.transaction():
            await owner_connection.execute(
                "UPDATE users SET is_active = false WHERE id = $1", who
            )
            await owner_connection.execute(
                "SELECT FROM memberships WHERE user_id = $1 FOR UPDATE", who
            )
            writing = asyncio.create_task(rename(key, org))  # it is let in
            await until_blocked_by(owner_connection.get_server_pid(), observer)
        assert (await writing).status_code == 401


class TestLastUse:
    async def test_is_noted_once_a_minute(
        self, app: FastAPI, owner_connection: Connection, session: AsyncSession
    ) -> None:
        org, now = await tenant(app), utc_now()
        just_now = now - timedelta(seconds=50)
        for before, is_noted in ((None, True), (now - HOUR, True), (just_now, False)):
            key = await api_key(app, org, org.owner, READ, last_used_at=before)
            answers = [key.client.get(org.path) for _ in range(4)]
            assert {a.status_code for a in await asyncio.gather(*answers)} == {200}
            (noted,) = await owner_connection.fetch(KEPT, key.row.id)
            assert (noted["last_used_at"] != before) == is_noted
            await key.client.get(org.path)
            await enter(session, organization_id=org.id)
            await ApiKeyRepository(session, org.id).touch(key.row.id)
            await session.commit()
            assert await owner_connection.fetch(KEPT, key.row.id) == [noted]

    async def test_that_cannot_be_noted_fails_nothing(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, READ)
        await owner_connection.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE 'no'; END $$"
        )
        await owner_connection.execute(
            "CREATE TRIGGER refuse BEFORE UPDATE ON api_keys FOR EACH ROW"
            f" WHEN (OLD.id = '{key.row.id}') EXECUTE FUNCTION refuse()"
        )
        assert (await key.client.get(org.path)).status_code == 200
        await owner_connection.execute("DROP FUNCTION refuse CASCADE")
        (kept,) = await owner_connection.fetch(KEPT, key.row.id)
        assert kept["last_used_at"] is None


class TestAnotherSecret:
    """SECRET_KEY is replaced; the old one is SECRET_KEY_PREVIOUS for a while."""

    @pytest.fixture
    async def rotated(self, settings: Settings) -> AsyncIterator[tuple[FastAPI, ...]]:
        """The application just after the change of the secret, and long after it."""
        new = {"SECRET_KEY": SecretStr("n" * 40), "DB_POOL_SIZE": 2}
        previous = {"SECRET_KEY_PREVIOUS": settings.SECRET_KEY}
        async with (
            running(settings.model_copy(update=new | previous)) as after,
            running(settings.model_copy(update=new)) as long_after,
        ):
            yield after, long_after

    async def ask(self, app: FastAPI, key: Program, of: Tenant) -> int:
        async with client_of(app, **{HEADER: key.text}) as client:
            return (await client.get(of.path)).status_code

    async def test_keeps_the_keys_that_are_used_meanwhile(
        self, app: FastAPI, rotated: tuple[FastAPI, ...], owner_connection: Connection
    ) -> None:
        after, long_after = rotated
        org = await tenant(app)
        used = await api_key(app, org, org.owner, READ)
        unused = await api_key(app, org, org.owner, READ)
        noted = await api_key(app, org, org.owner, READ, last_used_at=utc_now())
        assert await self.ask(after, noted, org) == 200
        for _ in range(2):
            assert await self.ask(after, used, org) == 200
        (kept,) = await owner_connection.fetch(KEPT, used.row.id)
        assert kept["key_hash"] != used.row.key_hash
        assert await self.ask(long_after, used, org) == 200
        for key in (unused, noted):  # noted a moment ago, so not looked at yet
            assert await self.ask(long_after, key, org) == 401
            assert await self.ask(after, key, org) == 200
        # Nothing but a use: it tells of no change.
        assert not await owner_connection.fetch(
            "SELECT FROM audit_events WHERE organization_id = $1", org.id
        )

    async def test_waits_for_nothing_that_the_key_writes(
        self, app: FastAPI, rotated: tuple[FastAPI, ...], session: AsyncSession
    ) -> None:
        after, long_after = rotated
        org = await tenant(app)
        key = await api_key(app, org, org.owner, READ)
        await hold(session, key)
        assert await asyncio.wait_for(self.ask(after, key, org), 2) == 200
        assert await self.ask(long_after, key, org) == 401
        await session.commit()
        assert await self.ask(after, key, org) == 200
        assert await self.ask(long_after, key, org) == 200


class TestCost:
    @pytest.fixture
    def sent(self) -> list[str]:
        return []

    @pytest.fixture
    async def watched(
        self, settings: Settings, sent: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[FastAPI]:
        """An application whose statements are remembered, on both lanes."""
        connect = asyncpg.connect

        async def watched_connect(*arguments: Any, **options: Any) -> Any:
            connection = await connect(*arguments, **options)
            connection.add_query_logger(lambda query: sent.append(query.query))
            return connection

        monkeypatch.setattr(asyncpg, "connect", watched_connect)
        update = {"DB_POOL_SIZE": 1}
        async with running(settings.model_copy(update=update)) as app:
            yield app

    async def test_is_nothing_for_what_is_no_key(
        self, watched: FastAPI, sent: list[str]
    ) -> None:
        org = await tenant(watched)
        key = await api_key(watched, org, org.owner, READ)
        sent.clear()
        swapped = key.text[:10] + key.text[11] + key.text[10] + key.text[12:]
        wrong = {key.text[:-1], key.text + "a", key.text.upper(), swapped, "x", ""}
        for text in wrong - {key.text}:
            for path in (org.path, "/api/v1/users/me"):
                answer = await key.client.get(path, headers={HEADER: text})
                assert answer.status_code == 401
        assert sent == []

    async def test_is_one_statement_to_let_somebody_in(
        self, watched: FastAPI, sent: list[str]
    ) -> None:
        org = await tenant(watched)
        key = await api_key(watched, org, org.owner, last_used_at=utc_now())
        await key.client.get(org.path)  # the driver looks types up, once a connection
        sent.clear()
        assert (await key.client.get(org.path)).status_code == 403
        assert len(sent) == 1
        assert "api_key_of" in sent[0]
