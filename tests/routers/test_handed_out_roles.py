"""Roles that are given away: nobody gives more than they have, and no key ownership."""

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.policy import Permission, Role
from tests.contract.answers import complaints
from tests.factories.api_keys import api_key
from tests.factories.invitations import invitation
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.support import acting_as
from tests.factories.users import Account, new_email

WRITES = {Permission.MEMBERS_WRITE, Permission.INVITATIONS_WRITE}
SCOPES = {
    "nothing else": WRITES,
    "half a viewer's": WRITES | {Permission.ORGANIZATION_READ, Permission.ORDERS_READ},
    **{f"those of {role}s": WRITES | role.permissions for role in Role},
}


async def give(by: AsyncClient, to: Account, of: Tenant, role: Role) -> Response:
    url = f"{of.path}/members/{to.user.id}"
    return await by.patch(url, json={"role": role})


async def invite(by: AsyncClient, to: Tenant, role: Role) -> Response:
    new = {"email": new_email(), "role": role}
    return await by.post(f"{to.path}/invitations", json=new)


async def resend(app: FastAPI, by: AsyncClient, of: Tenant, role: Role) -> Response:
    sent = await invitation(app, of, role=role)
    return await by.post(f"{of.path}/invitations/{sent.row.id}/resend")


async def revoke(app: FastAPI, by: AsyncClient, of: Tenant, role: Role) -> Response:
    sent = await invitation(app, of, role=role)
    return await by.delete(f"{of.path}/invitations/{sent.row.id}")


class TestKey:
    @pytest.mark.parametrize("name", SCOPES)
    async def test_gives_no_more_than_its_scopes_and_never_ownership(
        self, app: FastAPI, name: str
    ) -> None:
        ours, scopes = await tenant(app), SCOPES[name]
        key = await api_key(app, ours, ours.owner, *sorted(scopes))
        bob = await member(app, ours, Role.VIEWER)
        given = "viewer"
        for role in Role:
            answers = [
                await give(key.client, bob, ours, role),
                await invite(key.client, ours, role),
                await resend(app, key.client, ours, role),
            ]
            if role != Role.OWNER and role.permissions <= scopes:
                assert [a.status_code for a in answers] == [200, 201, 202]
                given = role
                continue
            code = "user_required" if role == Role.OWNER else "forbidden"
            for answer in answers:
                assert complaints(answer, status=403) == []
                assert answer.json()["code"] == code, answer.text
                lacking = sorted(role.permissions - scopes)
                assert code != "forbidden" or lacking[0] in answer.json()["detail"]
        page = (await bob.client.get(ours.path)).json()
        assert page["role"] == given

    async def test_never_touches_an_owner(self, app: FastAPI) -> None:
        ours = await tenant(app)
        other = await member(app, ours, Role.OWNER)
        boss = await member(app, ours, Role.ADMIN)
        key = await api_key(app, ours, ours.owner, *sorted(Role.OWNER.permissions))
        for owner in (ours.owner, other):
            url = f"{ours.path}/members/{owner.user.id}"
            for answer in (
                await give(key.client, owner, ours, Role.VIEWER),
                await give(key.client, owner, ours, Role.OWNER),
                await key.client.delete(url),
            ):
                assert complaints(answer, status=403) == []
                assert answer.json()["code"] == "user_required"
            assert (await owner.client.get(ours.path)).json()["role"] == "owner"
        url = f"{ours.path}/members/{boss.user.id}"
        assert (await key.client.delete(url)).status_code == 204

    async def test_gives_no_more_than_its_creator_may(self, app: FastAPI) -> None:
        ours = await tenant(app)
        boss = await member(app, ours, Role.ADMIN)
        key = await api_key(app, ours, boss, *sorted(Role.OWNER.permissions))
        for role in Role:
            may = role != Role.OWNER
            invited = await invite(key.client, ours, role)
            assert invited.status_code == (201 if may else 403)
            bob = await member(app, ours)
            given = await give(key.client, bob, ours, role)
            assert given.status_code == (200 if may else 403)


class TestSupport:
    async def test_gives_what_the_user_has_but_no_ownership(self, app: FastAPI) -> None:
        ours = await tenant(app)
        other = await member(app, ours, Role.OWNER)
        support = (await acting_as(app, ours.owner)).client
        bob = await member(app, ours)
        for role in Role:
            may = role != Role.OWNER
            answers = [
                await give(support, bob, ours, role),
                await invite(support, ours, role),
                await resend(app, support, ours, role),
            ]
            expected = [200, 201, 202] if may else [403] * 3
            assert [a.status_code for a in answers] == expected
        assert (await give(support, other, ours, Role.ADMIN)).status_code == 403


class TestRevokeInvitation:
    async def test_is_for_those_of_its_role_and_above(self, app: FastAPI) -> None:
        ours = await tenant(app)
        boss = await member(app, ours, Role.ADMIN)
        few = [Permission.INVITATIONS_WRITE]
        by_boss = await api_key(app, ours, boss, *few)
        by_owner = await api_key(app, ours, ours.owner, *few)
        support = await acting_as(app, ours.owner)
        for role in Role:
            for by in (boss.client, by_boss.client):
                answer = await revoke(app, by, ours, role)
                may = role != Role.OWNER
                assert answer.status_code == (204 if may else 403), answer.text
            # It takes nothing from anybody: nobody has to do it in person.
            for by in (ours.owner.client, by_owner.client, support.client):
                assert (await revoke(app, by, ours, role)).status_code == 204
