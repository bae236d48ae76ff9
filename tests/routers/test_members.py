"""The members API, from outside."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.db.connections import Connection
from app.policy import Permission, Role
from tests.contract.answers import complaints, pointers, without_identity
from tests.factories.api_keys import api_key
from tests.factories.organizations import ROOT, Tenant, join, member, tenant
from tests.factories.users import Account, account
from tests.written import trail

USERS = "/api/v1/users"


def url_of(of: Tenant, whom: Account) -> str:
    return f"{of.path}/members/{whom.user.id}"


async def give(who: Account, to: Account, of: Tenant, role: str) -> Response:
    return await who.client.patch(url_of(of, to), json={"role": role})


async def remove(who: Account, whom: Account, of: Tenant) -> Response:
    return await who.client.delete(url_of(of, whom))


async def transfer(who: Account, to: object, of: Tenant) -> Response:
    body = {"user_id": str(to)}
    return await who.client.post(f"{of.path}/transfer", json=body)


async def roles_in(of: Tenant) -> dict[str, str]:
    page = (await of.owner.client.get(f"{of.path}/members")).json()
    return {item["user_id"]: item["role"] for item in page["items"]}


class TestGetMembers:
    async def test_shows_all_to_each(self, app: FastAPI) -> None:
        ours, _ = await tenant(app), await tenant(app)
        for role in Role:
            bob = await member(app, ours, role)
            page = (await bob.client.get(f"{ours.path}/members")).json()
            assert page["total"] == 2 + role.rank
            newest = page["items"][0]
            assert newest == {
                "user_id": str(bob.user.id),
                "email": bob.user.email,
                "full_name": bob.user.full_name,
                "role": role,
                "joined_at": newest["joined_at"],
            }
            assert page["items"][-1]["user_id"] == str(ours.owner.user.id)

    async def test_sorts_and_pages_both_ways(self, app: FastAPI) -> None:
        ours = await tenant(app, owner=await account(app, full_name="5"))
        url = f"{ours.path}/members"
        for number in range(4, 0, -1):
            await member(app, ours, full_name=f"{number}")
        for sort, expected in (("full_name", "12345"), ("-joined_at", "12345")):
            query: dict[str, Any] = {"sort": sort, "size": 2}
            shown = ""
            while True:
                page = (await ours.owner.client.get(url, params=query)).json()
                shown += "".join(item["full_name"] for item in page["items"])
                if page["next_cursor"] is None:
                    break
                query["cursor"] = page["next_cursor"]
            assert shown == expected
        other = await tenant(app, owner=ours.owner)
        page = (await ours.owner.client.get(url, params={"size": 2})).json()
        query = {"size": 2, "cursor": page["next_cursor"]}
        answer = await ours.owner.client.get(f"{other.path}/members", params=query)
        assert pointers(answer) == ["/query/cursor"]


class TestUpdateMember:
    async def test_nobody_grants_or_changes_what_is_above_them(
        self, app: FastAPI
    ) -> None:
        ours = await tenant(app)
        crew = {role: await member(app, ours, role) for role in Role}
        for who in Role:
            for whom in Role:
                other = await member(app, ours, whom)
                for role in Role:
                    may = who.rank >= max(Role.ADMIN.rank, whom.rank, role.rank)
                    answer = await give(crew[who], other, ours, role)
                    assert answer.status_code == (200 if may else 403), answer.text
                    if may:
                        assert answer.json()["role"] == role
                        await give(ours.owner, other, ours, whom)

    async def test_nobody_promotes_themselves(self, app: FastAPI) -> None:
        ours = await tenant(app)
        for role in (Role.VIEWER, Role.MEMBER, Role.ADMIN):
            bob = await member(app, ours, role)
            for higher in list(Role)[role.rank + 1 :]:
                answer = await give(bob, bob, ours, higher)
                assert complaints(answer, status=403) == []
            assert (await bob.client.get(ours.path)).json()["role"] == role

    async def test_what_is_another_role_counts_from_the_next_request_on(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, Role.VIEWER)
        for role in ("admin", "owner", "viewer"):
            assert (await give(ours.owner, bob, ours, role)).status_code == 200
            renamed = await bob.client.patch(ours.path, json={"name": role})
            assert renamed.is_success == (role != "viewer")
        assert (await give(ours.owner, bob, ours, "viewer")).status_code == 200
        done = [action for action, *_ in await trail(ours, owner_connection)]
        assert done.count("member.updated") == 3

    async def test_others_are_not_there(self, app: FastAPI) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        stranger = await member(app, theirs)
        missing = None
        for whose in (uuid4(), stranger.user.id, theirs.owner.user.id):
            url = f"{ours.path}/members/{whose}"
            for answer in (
                await ours.owner.client.patch(url, json={"role": "viewer"}),
                await ours.owner.client.delete(url),
            ):
                assert complaints(answer, status=404) == []
                missing = missing or without_identity(answer)
                assert without_identity(answer) == missing
        for body in ({}, {"role": "root"}, {"role": None}, {"role": "Owner"}):
            url = url_of(ours, ours.owner)
            answer = await ours.owner.client.patch(url, json=body)
            assert complaints(answer, status=422) == []


class TestRemoveMember:
    async def test_is_for_admins_up_to_their_own_role(self, app: FastAPI) -> None:
        ours = await tenant(app)
        crew = {role: await member(app, ours, role) for role in Role}
        for who in Role:
            for whom in Role:
                other = await member(app, ours, whom)
                may = who.rank >= max(Role.ADMIN.rank, whom.rank)
                answer = await remove(crew[who], other, ours)
                assert answer.status_code == (204 if may else 403), answer.text
                status = (await other.client.get(ours.path)).status_code
                assert status == (404 if may else 200)

    async def test_takes_all_that_one_had_there_and_nothing_else(
        self, app: FastAPI, client: AsyncClient, owner_connection: Connection
    ) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        bob = await member(app, ours, Role.ADMIN)
        await join(app, theirs, bob.user, Role.ADMIN)
        keys = [
            (await api_key(app, which, bob, *Permission)).text
            for which in (ours, theirs)
        ]
        kept = (await api_key(app, ours, ours.owner, *Permission)).text
        assert (await remove(ours.owner, bob, ours)).status_code == 204
        for answer in (
            await bob.client.get(ours.path),
            await bob.client.get(f"{ours.path}/members"),
            await bob.client.delete(url_of(ours, bob)),
            await give(bob, ours.owner, ours, "viewer"),
        ):
            assert complaints(answer, status=404) == []
        statuses = [
            (await client.get(which.path, headers={"X-API-Key": key})).status_code
            for which, key in zip((ours, theirs, ours), (*keys, kept), strict=True)
        ]
        assert statuses == [401, 200, 200]
        assert (await bob.client.get(theirs.path)).is_success
        found = (await bob.client.get(ROOT)).json()["items"]
        assert [item["id"] for item in found] == [str(theirs.id)]
        revoked, left = await trail(ours, owner_connection)
        assert revoked[:3] == ("api_key.revoked", "user", ours.owner.user.id)
        assert left == ("member.left", "user", ours.owner.user.id, bob.user.id)
        assert (await remove(ours.owner, bob, ours)).status_code == 404

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER, Role.ADMIN])
    async def test_everybody_but_the_last_owner_may_leave(
        self, app: FastAPI, role: Role
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, role)
        assert (await remove(bob, bob, ours)).status_code == 204
        answer = await remove(ours.owner, ours.owner, ours)
        assert complaints(answer, status=409) == []


class TestLastOwner:
    async def test_stays_one_whatever_is_tried(self, app: FastAPI) -> None:
        root = await account(app, is_superuser=True)
        ours = await tenant(app)
        await member(app, ours, Role.ADMIN)
        off = await member(app, ours, Role.OWNER, is_active=False)
        for answer in (
            await give(ours.owner, ours.owner, ours, "admin"),
            await remove(ours.owner, ours.owner, ours),
            await root.client.delete(f"{USERS}/{ours.owner.user.id}"),
        ):
            assert complaints(answer, status=409) == []
            assert answer.json()["code"] == "last_owner"
        assert (await roles_in(ours))[str(ours.owner.user.id)] == "owner"
        # Who is switched off can be no owner for the others.
        on = {"is_active": True}
        await root.client.patch(f"{USERS}/{off.user.id}", json=on)
        assert (await remove(ours.owner, ours.owner, ours)).status_code == 204


class TestTransferOrganization:
    async def test_makes_one_an_owner_and_the_other_an_admin(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, Role.VIEWER)
        answer = await transfer(ours.owner, bob.user.id, ours)
        assert answer.status_code == 200
        assert answer.json()["role"] == "owner"
        assert answer.json()["user_id"] == str(bob.user.id)
        assert await roles_in(ours) == {
            str(ours.owner.user.id): "admin",
            str(bob.user.id): "owner",
        }
        assert len(await trail(ours, owner_connection)) == 2
        again = await transfer(ours.owner, bob.user.id, ours)
        assert complaints(again, status=403) == []
        assert (await transfer(bob, ours.owner.user.id, ours)).is_success

    async def test_takes_a_member_and_an_owner(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        for to in (uuid4(), theirs.owner.user.id, ours.owner.user.id, "x"):
            answer = await transfer(ours.owner, to, ours)
            assert complaints(answer, status=422) == [], to
            assert pointers(answer) == ["/body/user_id"]
        off = await member(app, ours, is_active=False)
        refused = await transfer(ours.owner, off.user.id, ours)
        assert complaints(refused, status=409) == []
        assert (await roles_in(ours))[str(off.user.id)] == "member"
        boss = await member(app, ours, Role.ADMIN)
        refused = await transfer(boss, boss.user.id, ours)
        assert complaints(refused, status=403) == []
        headers = {
            "X-API-Key": (await api_key(app, ours, ours.owner, *Permission)).text
        }
        url, body = f"{ours.path}/transfer", {"user_id": str(boss.user.id)}
        answer = await client.post(url, json=body, headers=headers)
        assert answer.json()["code"] == "user_required"
