"""What is written down of each change: once, with it or not at all, and no secrets."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.changes import emit
from app.db.connections import Connection
from app.db.tenancy import Context, bind
from app.events.organizations import ORGANIZATION_UPDATED
from app.jobs.handlers import handle
from app.jobs.organizations import delete_organization
from app.queue.organizations import DeleteOrganization
from app.resources import Resources
from tests.conftest import client_of
from tests.factories.organizations import join, member, tenant
from tests.factories.users import account
from tests.working import do_jobs
from tests.written import written, wrote


class TestEachChange:
    async def test_of_an_organization_is_written_once(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        client = (await account(app)).client
        answer = await client.post("/api/v1/organizations", json={"name": "One"})
        founded = ["organization.created", "member.joined"]
        assert await wrote(owner_connection, answer, 201) == founded
        one = answer.headers["location"]
        slug = f"slug-{uuid4().hex}"
        answer = await client.patch(one, json={"name": "Two", "slug": slug})
        assert await wrote(owner_connection, answer) == ["organization.updated"]
        (row,), (event,) = await written(owner_connection, answer)
        now = await owner_connection.fetchval(
            "SELECT xmin::text::bigint FROM organizations WHERE id = $1",
            event["subject"],
        )
        assert row["xid"] == now
        answer = await client.delete(one, params={"slug": slug})
        assert await wrote(owner_connection, answer, 202) == ["organization.deleted"]

    async def test_of_a_member_is_written_once(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        others = [await member(app, one) for _ in range(2)]
        paths = [f"{one.path}/members/{other.user.id}" for other in others]
        client = one.owner.client
        answer = await client.patch(paths[0], json={"role": "admin"})
        assert await wrote(owner_connection, answer) == ["member.updated"]
        answer = await client.delete(paths[0])
        assert await wrote(owner_connection, answer, 204) == ["member.left"]
        answer = await others[1].client.delete(paths[1])
        assert await wrote(owner_connection, answer, 204) == ["member.left"]
        heir = await member(app, one)
        new = {"user_id": str(heir.user.id)}
        answer = await client.post(f"{one.path}/transfer", json=new)
        assert await wrote(owner_connection, answer) == ["member.updated"] * 2

    async def test_of_an_erased_account_is_written_in_each_organization(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await tenant(app), await tenant(app)
        somebody = await member(app, one)
        await join(app, two, somebody.user)
        superuser = await account(app, is_superuser=True)
        path = f"/api/v1/users/{somebody.user.id}"
        answer = await superuser.client.delete(path)
        assert await wrote(owner_connection, answer, 204) == ["member.left"] * 2
        trail, _ = await written(owner_connection, answer)
        assert {row["organization_id"] for row in trail} == {one.id, two.id}
        assert {row["actor_id"] for row in trail} == {superuser.user.id}

    async def test_tells_before_and_after_who_and_from_where(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app, name="Before")
        began = datetime.now(UTC)
        sent = {"X-Request-ID": f"test-{uuid4().hex}"}
        new = {"name": "After", "slug": one.slug}
        answer = await one.owner.client.patch(one.path, json=new, headers=sent)
        (row,), (event,) = await written(owner_connection, answer)
        assert row["changes"] == '{"name": {"to": "After", "from": "Before"}}'
        assert row["request_id"] == event["request_id"] == sent["X-Request-ID"]
        assert (row["actor_type"], row["actor_id"]) == ("user", one.owner.user.id)
        assert (row["actor_label"], row["impersonator_id"]) == (None, None)
        assert (row["ip"], row["target_label"]) == ("127.0.0.1", "After")
        assert began <= row["created_at"] <= datetime.now(UTC)
        assert '"name": "After"' in event["data"]

    async def test_names_no_person(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        other = await member(app, one, full_name="Grace Hopper")
        path = f"{one.path}/members/{other.user.id}"
        answer = await one.owner.client.delete(path)
        rows = str(await written(owner_connection, answer))
        assert str(other.user.id) in rows
        for personal in (other.user.email, other.user.full_name):
            assert personal not in rows


class TestNoChange:
    async def test_is_written_of_a_request_that_changes_nothing(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app, name="Same")
        other = await member(app, one)
        path = f"{one.path}/members/{other.user.id}"
        client, seen = one.owner.client, await one.owner.client.get(one.path)
        for answer in (
            await client.patch(one.path, json={"name": "Same", "slug": one.slug}),
            await client.patch(one.path, json={}),
            await client.patch(path, json={"role": "member"}),
            await client.get(one.path),
        ):
            assert await wrote(owner_connection, answer) == []
        assert (await client.get(one.path)).headers["etag"] == seen.headers["etag"]

    async def test_is_written_of_a_request_that_is_refused(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await tenant(app), await tenant(app)
        client = one.owner.client
        own = f"{one.path}/members/{one.owner.user.id}"
        taken = {"name": "Other", "slug": two.slug}
        stale = {"If-Match": '"stale"'}
        for status, answer in (
            (409, await client.patch(one.path, json=taken)),
            (409, await client.delete(own)),
            (412, await client.patch(one.path, json={"name": "X"}, headers=stale)),
            (404, await client.patch(two.path, json={"name": "X"})),
            (422, await client.patch(one.path, json={"name": ""})),
            (401, await client_of(app).patch(one.path, json={"name": "X"})),
        ):
            assert await wrote(owner_connection, answer, status) == []

    async def test_is_written_of_what_is_rolled_back(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        # They leave the first organization before the second one keeps them.
        one = await tenant(app)
        somebody = await member(app, one)
        two = await tenant(app, owner=somebody)
        assert one.id < two.id
        superuser = await account(app, is_superuser=True)
        path = f"/api/v1/users/{somebody.user.id}"
        answer = await superuser.client.delete(path)
        assert answer.json()["code"] == "last_owner"
        assert await wrote(owner_connection, answer, 409) == []
        request_id = answer.headers["x-request-id"]
        every = "SELECT count(*) FROM audit_events WHERE request_id = $1"
        assert await owner_connection.fetchval(every, request_id) == 0
        assert (await somebody.client.get(one.path)).status_code == 200


class TestManyChanges:
    async def test_what_goes_with_an_organization_is_not_told_row_by_row(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        await member(app, one)
        answer = await one.owner.client.delete(one.path, params={"slug": one.slug})
        await do_jobs(app, handle(DeleteOrganization, delete_organization))
        gone = "SELECT count(*) FROM organizations WHERE id = $1"
        assert await owner_connection.fetchval(gone, one.id) == 0
        assert await wrote(owner_connection, answer, 202) == ["organization.deleted"]
        for table in ("audit_events", "outbox"):
            kept = f"SELECT count(*) FROM {table} WHERE organization_id = $1"
            assert await owner_connection.fetchval(kept, one.id) == 1


class TestTrail:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE audit_events SET ip = NULL",
            "DELETE FROM audit_events",
            "TRUNCATE audit_events",
            "LOCK audit_events IN EXCLUSIVE MODE",
            "ALTER TABLE audit_events DISABLE ROW LEVEL SECURITY",
            "DROP POLICY written ON audit_events",
        ],
    )
    async def test_nobody_who_serves_can_change_it(
        self, app: FastAPI, statement: str
    ) -> None:
        one = await tenant(app)
        async with app.state.resources.sessions() as session:
            bind(session, Context(one.id))
            with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
                await session.execute(text(statement))

    async def test_even_its_owner_finds_nothing_to_change(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        await one.owner.client.patch(one.path, json={"name": "Kept"})
        for statement in (
            "UPDATE audit_events SET ip = NULL",
            "DELETE FROM audit_events",
        ):
            assert (await owner_connection.execute(statement)).endswith(" 0")
        kept = "SELECT ip FROM audit_events WHERE organization_id = $1"
        assert await owner_connection.fetchval(kept, one.id) == "127.0.0.1"

    async def test_is_written_for_ones_own_organization_only(
        self, app: FastAPI
    ) -> None:
        one, other = await tenant(app), await tenant(app)
        for table, columns, values in (
            (
                "audit_events",
                "action, actor_type, target_type, target_id, changes",
                "'x', 'user', 'x', gen_random_uuid(), '{}'",
            ),
            ("outbox", "type, subject, data", "'x', gen_random_uuid(), '{}'"),
        ):
            statement = (
                f"INSERT INTO {table} (id, organization_id, created_at, {columns})"
                f" VALUES (gen_random_uuid(), '{other.id}', now(), {values})"
            )
            for context in (Context(one.id), Context(user_id=other.owner.user.id)):
                async with app.state.resources.sessions() as session:
                    bind(session, context)
                    with pytest.raises(DBAPIError, match="row-level security"):
                        await session.execute(text(statement))
                    await session.rollback()
                    found = text(
                        f"SELECT count(*) FROM {table} WHERE organization_id = :o"
                    )
                    assert await session.scalar(found, {"o": other.id}) == 0


class TestEmit:
    async def test_tells_of_an_event_with_the_commit_and_else_never(
        self, app: FastAPI, resources: Resources, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        data = {"id": uuid4(), "name": "One", "slug": "one"}
        times = {"created_at": datetime.now(UTC), "updated_at": datetime.now(UTC)}
        event = ORGANIZATION_UPDATED.of(data | times)
        told = "SELECT type FROM outbox WHERE subject = $1"
        for end, types in (("rollback", []), ("commit", [event.type])):
            async with resources.sessions() as session:
                bind(session, Context(one.id))
                await emit(session, event)
                await getattr(session, end)()
            rows = await owner_connection.fetch(told, event.subject)
            assert [row[0] for row in rows] == types
