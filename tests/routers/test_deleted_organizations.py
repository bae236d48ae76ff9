"""Organizations that are deleted, and what becomes of all that was theirs."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from app.jobs.handlers import Work, handle
from app.jobs.organizations import delete_organization
from app.policy import Permission, Role
from app.queue.organizations import DeleteOrganization
from tests.contract.answers import complaints, pointers, without_identity
from tests.factories.api_keys import api_key
from tests.factories.invitations import invitation
from tests.factories.organizations import ROOT, Tenant, join, member, tenant
from tests.factories.users import PASSWORD, Account, account_with_password
from tests.working import do_jobs

CLEARED = ("api_keys", "invitations", "memberships")
KEPT = ("audit_events", "outbox")


async def delete(who: Account, of: Tenant, slug: str | None = None) -> int:
    answer = await who.client.delete(of.path, params={"slug": slug or of.slug})
    return answer.status_code


async def counts(of: Tenant, look: Connection) -> dict[str, Any]:
    return {
        table: await look.fetchval(
            f"SELECT count(*) FROM {table} WHERE organization_id = $1", of.id
        )
        for table in (*CLEARED, *KEPT)
    }


async def work(app: FastAPI, of: Tenant) -> None:
    resources, job = app.state.resources, DeleteOrganization(organization_id=of.id)
    async with resources.sessions() as session:
        await delete_organization(job, Work(resources, session))


async def furnished(app: FastAPI) -> Tenant:
    """An organization with rows in all tables of organizations."""
    ours = await tenant(app)
    bob = await member(app, ours, Role.ADMIN)
    await ours.owner.client.patch(ours.path, json={"name": "Renamed"})
    for creator in (ours.owner, bob):
        await api_key(app, ours, creator)
    for _ in range(5):
        await invitation(app, ours)
    return ours


class TestDeleteOrganization:
    async def test_wants_the_slug_once_one_may_do_it(self, app: FastAPI) -> None:
        ours, other = await tenant(app), await tenant(app)
        query: list[dict[str, str]] = [{}, {"slug": other.slug}, {"slug": ""}]
        query += [{"slug": ours.slug.upper()}, {"slug": "x" * 51}]
        for wrong in query:
            answer = await ours.owner.client.delete(ours.path, params=wrong)
            assert complaints(answer, status=422) == []
            assert pointers(answer) == ["/query/slug"]
            answer = await other.owner.client.delete(ours.path, params=wrong)
            assert complaints(answer, status=404) == []
        for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN):
            bob = await member(app, ours, role)
            for right in ({}, {"slug": ours.slug}):
                answer = await bob.client.delete(ours.path, params=right)
                assert complaints(answer, status=403) == []
        assert await delete(ours.owner, ours) == 202
        assert await delete(ours.owner, ours) == 404

    async def test_it_exists_for_nobody_any_more(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ours = await tenant(app)
        boss = await member(app, ours, Role.OWNER)
        keys = [
            (await api_key(app, ours, who, *Permission)).text
            for who in (ours.owner, boss)
        ]
        for key in keys:
            answer = await client.get(ours.path, headers={"X-API-Key": key})
            assert answer.is_success
        assert await delete(boss, ours) == 202
        missing = without_identity(await boss.client.get(f"{ROOT}/{uuid4()}"))
        mine = f"{ours.path}/members/{boss.user.id}"
        for who in (ours.owner, boss):
            answers = [
                await who.client.get(ours.path),
                await who.client.patch(ours.path, json={"name": "x"}),
                await who.client.get(f"{ours.path}/members"),
                await who.client.patch(mine, json={"role": "viewer"}),
                await who.client.delete(mine),
                await who.client.post(
                    f"{ours.path}/transfer", json={"user_id": str(uuid4())}
                ),
            ]
            for answer in answers:
                assert without_identity(answer) == missing
            assert (await who.client.get(ROOT)).json()["total"] == 0
        for key in keys:
            answer = await client.get(ours.path, headers={"X-API-Key": key})
            assert complaints(answer, status=401) == []

    async def test_its_last_owner_may_go_at_once(self, app: FastAPI) -> None:
        ada = await account_with_password(app)
        ours = await tenant(app, owner=ada)
        assert await delete(ada, ours) == 202
        body = {"password": PASSWORD}
        gone = await ada.client.post("/api/v1/auth/delete-account", json=body)
        assert gone.status_code == 204
        await do_jobs(app, handle(DeleteOrganization, delete_organization))


class TestClearingAway:
    async def test_takes_all_but_the_books_and_frees_the_slug(
        self,
        app: FastAPI,
        owner_connection: Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("app.jobs.organizations.BATCH", 2)
        ours, theirs = await furnished(app), await furnished(app)
        await join(app, theirs, ours.owner.user)
        before = await counts(theirs, owner_connection)
        assert before == {
            "api_keys": 2,
            "invitations": 5,
            "memberships": 3,
            "audit_events": 1,
            "outbox": 1,
        }
        assert await delete(ours.owner, ours) == 202
        body = {"name": "Next", "slug": ours.slug}
        taken = await theirs.owner.client.post(ROOT, json=body)
        assert taken.json()["code"] == "slug_taken"
        await do_jobs(app, handle(DeleteOrganization, delete_organization))
        assert await counts(ours, owner_connection) == {
            **dict.fromkeys(CLEARED, 0),
            **dict.fromkeys(KEPT, 2),
        }
        left = "SELECT count(*) FROM organizations WHERE id = $1"
        assert await owner_connection.fetchval(left, ours.id) == 0
        assert await counts(theirs, owner_connection) == before
        assert (await ours.owner.client.get(theirs.path)).is_success
        assert (await theirs.owner.client.post(ROOT, json=body)).status_code == 201

    async def test_goes_on_after_a_crash_in_the_middle(
        self,
        app: FastAPI,
        owner_connection: Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("app.jobs.organizations.BATCH", 2)
        ours = await furnished(app)
        assert await delete(ours.owner, ours) == 202
        total = 2 + 5 + 2
        rows = []

        class Crash(BaseException):
            pass

        def crash(_event: str, **told: Any) -> None:
            rows.append(told["rows"])
            if len(rows) == 2:
                raise Crash

        monkeypatch.setattr("app.jobs.organizations._log.info", crash)
        with pytest.raises(Crash):
            await work(app, ours)
        found = await counts(ours, owner_connection)
        assert sum(found[table] for table in CLEARED) == total - 4
        assert (await ours.owner.client.get(ours.path)).status_code == 404
        for _ in range(2):  # also when all is done
            await work(app, ours)
        assert rows[2:] == [2, 4, 6, 6, 0]
        found = await counts(ours, owner_connection)
        assert found == {**dict.fromkeys(CLEARED, 0), **dict.fromkeys(KEPT, 2)}

    async def test_leaves_one_alone_that_is_not_deleted(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours = await furnished(app)
        before = await counts(ours, owner_connection)
        await work(app, ours)
        assert await counts(ours, owner_connection) == before
        assert (await ours.owner.client.get(ours.path)).is_success
