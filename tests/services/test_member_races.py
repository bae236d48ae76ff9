"""Who belongs to an organization, and who founds and leaves one, all at once."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.db.connections import Connection
from app.policy import Role
from tests.factories.organizations import ROOT, Tenant, join, member, tenant
from tests.factories.support import acting_as
from tests.factories.users import PASSWORD, Account, account, account_with_password

ROUNDS = 4
USERS = "/api/v1/users"
DELETE_ACCOUNT = "/api/v1/auth/delete-account"
OWN_PASSWORD = {"password": PASSWORD}


@pytest.fixture(autouse=True)
def _no_second_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a deadlock show: it would be run again; here it is a 503."""
    monkeypatch.setattr("app.web.routing.ATTEMPTS", 1)


async def at_once(*asked: Awaitable[Response]) -> list[int]:
    answers = await asyncio.gather(*asked)
    for answer in answers:
        assert answer.status_code < 500, answer.text
    return [answer.status_code for answer in answers]


async def give(who: Account, to: Account, of: Tenant, role: str) -> Response:
    url = f"{of.path}/members/{to.user.id}"
    return await who.client.patch(url, json={"role": role})


async def remove(who: Account, whom: Account, of: Tenant) -> Response:
    return await who.client.delete(f"{of.path}/members/{whom.user.id}")


async def transfer(who: Account, to: Account, of: Tenant) -> Response:
    body = {"user_id": str(to.user.id)}
    return await who.client.post(f"{of.path}/transfer", json=body)


async def delete(who: Account, of: Tenant) -> Response:
    return await who.client.delete(of.path, params={"slug": of.slug})


async def owners_of(of: Tenant, look: Connection) -> list[Any]:
    rows = await look.fetch(
        "SELECT user_id FROM memberships JOIN users ON users.id = user_id"
        " WHERE organization_id = $1 AND role = 'owner' AND erased_at IS NULL",
        of.id,
    )
    return [row["user_id"] for row in rows]


class TestOwners:
    async def test_of_two_who_leave_at_once_one_stays(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await account(app), await account(app)
        for _ in range(ROUNDS):
            ours = await tenant(app, owner=one)
            await join(app, ours, two.user, Role.OWNER)
            statuses = await at_once(remove(one, one, ours), remove(two, two, ours))
            assert sorted(statuses) == [204, 409]
            assert len(await owners_of(ours, owner_connection)) == 1

    async def test_of_two_who_demote_each_other_one_stays(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await account(app), await account(app)
        for number in range(ROUNDS):
            ours = await tenant(app, owner=one)
            await join(app, ours, two.user, Role.OWNER)
            role = ("admin", "viewer")[number % 2]
            statuses = await at_once(
                give(one, two, ours, role), give(two, one, ours, role)
            )
            assert sorted(statuses) == [200, 403]
            assert len(await owners_of(ours, owner_connection)) == 1

    async def test_of_two_who_remove_each_other_one_stays(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await account(app), await account(app)
        for _ in range(ROUNDS):
            ours = await tenant(app, owner=one)
            await join(app, ours, two.user, Role.OWNER)
            statuses = await at_once(remove(one, two, ours), remove(two, one, ours))
            assert sorted(statuses) == [204, 404]
            assert len(await owners_of(ours, owner_connection)) == 1

    async def test_of_two_whose_accounts_go_at_once_one_stays(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        root = await account(app, is_superuser=True)
        for _ in range(ROUNDS):
            one, two = await account_with_password(app), await account(app)
            both = [await tenant(app, owner=one), await tenant(app, owner=two)]
            await join(app, both[0], two.user, Role.OWNER)
            await join(app, both[1], one.user, Role.OWNER)
            statuses = await at_once(
                one.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD),
                root.client.delete(f"{USERS}/{two.user.id}"),
            )
            assert sorted(statuses) == [204, 409]
            for ours in both:
                assert len(await owners_of(ours, owner_connection)) == 1

    async def test_a_transfer_to_who_leaves_leaves_an_owner(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two = await account(app), await account(app)
        for _ in range(ROUNDS):
            ours = await tenant(app, owner=one)
            await join(app, ours, two.user, Role.ADMIN)
            statuses = await at_once(transfer(one, two, ours), remove(two, two, ours))
            # Either the heir has gone; or is another than who wanted to go; or is the
            # only owner, who asks to go once all is over.
            assert statuses in ([422, 204], [200, 403], [200, 409])
            assert len(await owners_of(ours, owner_connection)) == 1

    async def test_two_transfers_at_once_leave_as_many_owners(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, two, three = [await account(app) for _ in range(3)]
        for _ in range(ROUNDS):
            ours = await tenant(app, owner=one)
            await join(app, ours, two.user)
            await join(app, ours, three.user)
            statuses = await at_once(
                transfer(one, two, ours), transfer(one, three, ours)
            )
            assert sorted(statuses) == [200, 403]
            assert len(await owners_of(ours, owner_connection)) == 1


class TestMembers:
    async def test_who_is_removed_gets_no_other_role(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours = await tenant(app)
        boss = await member(app, ours, Role.ADMIN)
        for _ in range(ROUNDS):
            other = await member(app, ours)
            statuses = await at_once(
                remove(ours.owner, other, ours), give(boss, other, ours, "admin")
            )
            assert statuses[0] == 204
            assert statuses[1] in {200, 404}
            left = "SELECT count(*) FROM memberships WHERE user_id = $1"
            assert await owner_connection.fetchval(left, other.user.id) == 0

    async def test_who_is_demoted_does_nothing_more_by_the_old_role(
        self, app: FastAPI
    ) -> None:
        ours = await tenant(app)
        boss, other = await member(app, ours, Role.ADMIN), await member(app, ours)
        for _ in range(ROUNDS):
            statuses = await at_once(
                give(ours.owner, boss, ours, "member"), give(boss, other, ours, "admin")
            )
            assert statuses[0] == 200
            assert statuses[1] in {200, 403}
            assert (await give(boss, other, ours, "viewer")).status_code == 403
            await give(ours.owner, boss, ours, "admin")

    async def test_all_at_once_wait_in_no_circle(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        root = await account(app, is_superuser=True)
        for _ in range(ROUNDS // 2):
            one, two, three = [await account_with_password(app) for _ in range(3)]
            both = [await tenant(app, owner=one), await tenant(app, owner=two)]
            await join(app, both[0], two.user, Role.OWNER)
            await join(app, both[1], one.user, Role.ADMIN)
            for ours in both:
                await join(app, ours, three.user, Role.ADMIN)
            asked: list[Awaitable[Response]] = [
                three.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD),
                three.client.post(ROOT, json={"name": "Of three"}),
                root.client.patch(f"{USERS}/{two.user.id}", json={"full_name": "x"}),
                root.client.delete(f"{USERS}/{two.user.id}"),
                two.client.delete("/api/v1/auth/sessions"),
            ]
            for ours in both:
                asked += [
                    one.client.patch(ours.path, json={"name": "y"}),
                    give(one, three, ours, "viewer"),
                    give(two, three, ours, "member"),
                    give(three, one, ours, "member"),
                    transfer(two, one, ours),
                    remove(three, three, ours),
                    remove(one, one, ours),
                    remove(two, three, ours),
                ]
            await at_once(*asked)
            for ours in both:
                assert await owners_of(ours, owner_connection)


class TestOrganizations:
    async def test_one_that_is_deleted_lets_go_of_all(self, app: FastAPI) -> None:
        root = await account(app, is_superuser=True)
        for _ in range(ROUNDS):
            ours = await tenant(app)
            other = await member(app, ours, Role.OWNER)
            leaver = await member(app, ours)
            statuses = await at_once(
                delete(ours.owner, ours),
                delete(other, ours),
                give(other, leaver, ours, "admin"),
                remove(leaver, leaver, ours),
                root.client.delete(f"{USERS}/{other.user.id}"),
                other.client.patch(ours.path, json={"name": "z"}),
            )
            assert {202, 204} <= set(statuses) <= {200, 202, 204, 401, 403, 404}
            assert (await ours.owner.client.get(ours.path)).status_code == 404

    async def test_nobody_erased_is_a_founder(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        root = await account(app, is_superuser=True)
        for _ in range(ROUNDS):
            ada = await account(app)
            await at_once(
                *(ada.client.post(ROOT, json={"name": "Late"}) for _ in range(3)),
                root.client.delete(f"{USERS}/{ada.user.id}"),
            )
            row = await owner_connection.fetchrow(
                "SELECT erased_at IS NOT NULL AS gone, (SELECT count(*)"
                " FROM memberships WHERE user_id = users.id) AS memberships"
                " FROM users WHERE id = $1",
                ada.user.id,
            )
            assert row is not None
            assert not (row["gone"] and row["memberships"])

    async def test_of_many_who_want_a_slug_one_gets_it(self, app: FastAPI) -> None:
        ada = await account(app)
        mark = uuid4().hex[:10]
        body = {"name": f"All of {mark}", "slug": f"one-{mark}"}
        given = [ada.client.post(ROOT, json=body) for _ in range(8)]
        assert sorted(await at_once(*given)) == [201] + [409] * 7
        del body["slug"]
        derived = [ada.client.post(ROOT, json=body) for _ in range(8)]
        assert set(await at_once(*derived)) == {201}
        page = (await ada.client.get(ROOT, params={"size": 100})).json()
        slugs = [item["slug"] for item in page["items"]]
        assert len(set(slugs)) == len(slugs) == 9
        assert f"all-of-{mark}" in slugs


class TestSupport:
    async def test_who_is_superuser_no_more_does_nothing_more_as_the_user(
        self, app: FastAPI
    ) -> None:
        root = await account(app, is_superuser=True)
        ours = await tenant(app)
        for number in range(ROUNDS):
            boss = await account(app, is_superuser=True)
            support = await acting_as(app, ours.owner, root=boss)
            url = f"{USERS}/{boss.user.id}"
            renames = [
                support.client.patch(ours.path, json={"name": f"{number} {n}"})
                for n in range(5)
            ]
            ending = (
                root.client.patch(url, json={"is_superuser": False})
                if number % 2
                else root.client.delete(url)
            )
            statuses = await at_once(*renames, ending)
            assert statuses.pop() in {200, 204}
            assert set(statuses) <= {200, 401}
            late = await support.client.patch(ours.path, json={"name": "late"})
            assert late.status_code == 401
