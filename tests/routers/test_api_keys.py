"""API keys, as the people of an organization see them."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.db.connections import Connection
from app.models.base import utc_now
from app.policy import Permission, Role
from tests.conftest import client_of
from tests.contract.answers import complaints, pointers
from tests.factories.api_keys import HEADER, api_key
from tests.factories.organizations import Tenant, join, member, tenant
from tests.factories.sessions import user_session
from tests.factories.users import Account, account

READ, WRITE = Permission.PRODUCTS_READ, Permission.PRODUCTS_WRITE
FIELDS = {
    "id",
    "name",
    "prefix",
    "last_four",
    "scopes",
    "expires_at",
    "last_used_at",
    "created_at",
}


def new_key(**given: Any) -> dict[str, Any]:
    return {"name": "Robot", "scopes": [READ], **given}


def keys_of(of: Tenant) -> str:
    return f"{of.path}/api-keys"


async def make(who: Account, of: Tenant, **given: Any) -> Response:
    return await who.client.post(keys_of(of), json=new_key(**given))


async def acting_as(app: FastAPI, user: Account) -> AsyncClient:
    """A superuser who acts as somebody for a while."""
    superuser = await account(app, is_superuser=True)
    begun = user_session(user.user.id, impersonator_id=superuser.user.id)
    async with app.state.resources.sessions.begin() as session:
        session.add(begun)
    token = app.state.resources.tokens.issue(user.user.id, session_id=begun.id).text
    return client_of(app, Authorization=f"Bearer {token}")


class TestCreate:
    async def test_answers_the_key_which_works(self, app: FastAPI) -> None:
        org = await tenant(app)
        scopes = [Permission.ORGANIZATION_READ, WRITE]
        answer = await make(org.owner, org, name="  Robot ", scopes=scopes)
        assert answer.status_code == 201
        shown = answer.json()
        assert shown.keys() == {*FIELDS, "key"}
        assert (shown["name"], shown["scopes"]) == ("Robot", scopes)
        assert shown["expires_at"] is shown["last_used_at"] is None
        assert shown["key"].startswith(shown["prefix"])
        assert shown["key"].endswith(shown["last_four"])
        assert answer.headers["cache-control"] == "no-store"
        location = f"{keys_of(org)}/{shown['id']}"
        assert answer.headers["location"] == location
        async with client_of(app, **{HEADER: shown["key"]}) as program:
            found = await program.get(org.path)
            assert found.status_code == 200
            assert found.json()["id"] == str(org.id)

    async def test_is_shown_nowhere_else(
        self,
        app: FastAPI,
        owner_connection: Connection,
    ) -> None:
        org = await tenant(app)
        shown = (await make(org.owner, org)).json()
        page = await org.owner.client.get(keys_of(org))
        del shown["key"]
        assert page.json()["items"] == [shown]
        (kept,) = await owner_connection.fetch(
            "SELECT * FROM api_keys WHERE organization_id = $1", org.id
        )
        assert len(kept["key_hash"]) == 32
        assert kept["created_by"] == org.owner.user.id

    async def test_keeps_a_time_in_utc(self, app: FastAPI) -> None:
        org = await tenant(app)
        answer = await make(org.owner, org, expires_at="2099-01-01T01:30:00.5+02:00")
        assert answer.json()["expires_at"] == "2098-12-31T23:30:00.500000Z"
        answer = await make(org.owner, org, expires_at="9999-12-31T23:59:59.999999Z")
        assert answer.json()["expires_at"] == "9999-12-31T23:59:59.999998Z"
        page = await org.owner.client.get(keys_of(org))
        assert page.json()["items"][0] | {"key": answer.json()["key"]} == answer.json()

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"scopes": []}, "/body/scopes"),
            ({"scopes": [READ, READ]}, "/body/scopes"),
            ({"scopes": [READ] * 18}, "/body/scopes"),
            ({"scopes": ["x:read"]}, "/body/scopes/0"),
            ({"scopes": [READ, "products:delete"]}, "/body/scopes/1"),
            ({"scopes": [READ, "*"]}, "/body/scopes/1"),
            ({"scopes": [None]}, "/body/scopes/0"),
            ({"scopes": READ}, "/body/scopes"),
            ({"scopes": None}, "/body/scopes"),
            ({"name": " "}, "/body/name"),
            ({"name": "a\u2028b"}, "/body/name"),
            ({"name": "a" * 101}, "/body/name"),
            ({"expires_at": "2020-01-01T00:00:00Z"}, "/body/expires_at"),
            ({"expires_at": "2099-01-01T00:00:00"}, "/body/expires_at"),
            ({"expires_at": "2099-01-01"}, "/body/expires_at"),
            ({"expires_at": "9999-12-31T23:59:59-23:59"}, "/body/expires_at"),
            ({"expires_at": "0001-01-01T00:00:00+23:59"}, "/body/expires_at"),
            ({"expires_at": 4102444800}, "/body/expires_at"),
            ({"expires_at": "4102444800"}, "/body/expires_at"),
            ({"expires_at": True}, "/body/expires_at"),
            ({"key": "zen_" + "a" * 39}, "/body/key"),
            ({"created_by": "me"}, "/body/created_by"),
        ],
        ids=str,
    )
    async def test_takes_nothing_else(
        self, app: FastAPI, change: dict[str, Any], pointer: str
    ) -> None:
        org = await tenant(app)
        answer = await make(org.owner, org, **change)
        assert complaints(answer, status=422) == []
        assert pointers(answer) == [pointer]

    async def test_is_over_now(self, app: FastAPI) -> None:
        org = await tenant(app)
        answer = await make(org.owner, org, expires_at=utc_now().isoformat())
        assert answer.json()["errors"][0]["code"] == "not_in_future"

    async def test_gives_nobody_more_than_they_have(self, app: FastAPI) -> None:
        org = await tenant(app)
        admin = await member(app, org, Role.ADMIN)
        scopes = [READ, Permission.ORGANIZATION_DELETE]
        answer = await make(admin, org, scopes=scopes)
        assert complaints(answer, status=403) == []
        assert "organization:delete" in answer.json()["detail"]
        assert (await make(org.owner, org, scopes=scopes)).status_code == 201
        everything = [*Role.ADMIN.permissions]
        assert (await make(admin, org, scopes=everything)).status_code == 201

    async def test_is_for_who_may_and_nobody_else(self, app: FastAPI) -> None:
        org = await tenant(app)
        for role in (Role.VIEWER, Role.MEMBER):
            other = await member(app, org, role)
            answer = await make(other, org)
            assert complaints(answer, status=403) == []
            assert "api-keys:write" in answer.json()["detail"]
        outsider = await account(app, is_superuser=True)
        there, nowhere = (
            await make(outsider, org),
            await outsider.client.post(
                f"/api/v1/organizations/{uuid4()}/api-keys", json=new_key()
            ),
        )
        assert complaints(there, status=404) == complaints(nowhere, status=404) == []
        assert there.json()["detail"] == nowhere.json()["detail"]

    async def test_takes_the_person(self, app: FastAPI) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, *Permission)
        answer = await key.client.post(keys_of(org), json=new_key())
        assert complaints(answer, status=403) == []
        assert answer.json()["code"] == "user_required"
        async with await acting_as(app, org.owner) as impostor:
            assert (await impostor.get(keys_of(org))).status_code == 200
            answer = await impostor.post(keys_of(org), json=new_key())
            assert complaints(answer, status=403) == []
            answer = await impostor.delete(f"{keys_of(org)}/{key.row.id}")
            assert complaints(answer, status=403) == []


class TestList:
    async def test_is_of_the_organization_in_either_order(self, app: FastAPI) -> None:
        org, other = await tenant(app), await tenant(app)
        admin = await member(app, org, Role.ADMIN)
        await api_key(app, other, other.owner, READ)
        for name in ("b", "a", "c"):
            expires_at = utc_now() - timedelta(days=1) if name == "a" else None
            await api_key(app, org, org.owner, READ, name=name, expires_at=expires_at)
        for sort, names in (("name", "abc"), ("-created_at", "cab")):
            query = {"sort": sort}
            page = await admin.client.get(keys_of(org), params=query)
            assert "".join(key["name"] for key in page.json()["items"]) == names
            assert all(key.keys() == FIELDS for key in page.json()["items"])

    async def test_is_for_who_may_read_it(self, app: FastAPI) -> None:
        org = await tenant(app)
        other = await member(app, org, Role.MEMBER)
        assert (await other.client.get(keys_of(org))).status_code == 403
        outsider = await account(app)
        assert (await outsider.client.get(keys_of(org))).status_code == 404
        reading = await api_key(app, org, org.owner, Permission.API_KEYS_READ)
        page = await reading.client.get(keys_of(org))
        (shown,) = page.json()["items"]
        assert shown["id"] == str(reading.row.id)
        assert shown["last_used_at"].endswith("Z")
        assert reading.text not in page.text
        blind = await api_key(app, org, org.owner, Permission.API_KEYS_WRITE)
        assert (await blind.client.get(keys_of(org))).status_code == 403

    async def test_shows_a_scope_that_only_a_newer_version_knows(
        self, app: FastAPI
    ) -> None:
        org = await tenant(app)
        scopes = ["moons:read", Permission.ORGANIZATION_READ]
        key = await api_key(app, org, org.owner, scopes=scopes)
        page = await org.owner.client.get(keys_of(org))
        assert page.json()["items"][0]["scopes"] == scopes
        assert (await key.client.get(org.path)).status_code == 200
        assert (await key.client.get(f"{org.path}/members")).status_code == 403


class TestRevoke:
    async def test_ends_the_key_at_once(self, app: FastAPI) -> None:
        org = await tenant(app)
        admin = await member(app, org, Role.ADMIN)
        key = await api_key(app, org, org.owner, Permission.ORGANIZATION_READ)
        assert (await key.client.get(org.path)).status_code == 200
        path = f"{keys_of(org)}/{key.row.id}"
        assert (await admin.client.delete(path)).status_code == 204
        assert complaints(await key.client.get(org.path), status=401) == []
        assert complaints(await admin.client.delete(path), status=404) == []

    async def test_is_for_who_may_and_nobody_else(self, app: FastAPI) -> None:
        org, other = await tenant(app), await tenant(app)
        await join(app, other, org.owner.user, Role.ADMIN)
        key = await api_key(app, org, org.owner, *Permission)
        path = f"{keys_of(org)}/{key.row.id}"
        for role in (Role.VIEWER, Role.MEMBER):
            answer = await (await member(app, org, role)).client.delete(path)
            assert complaints(answer, status=403) == []
        answer = await other.owner.client.delete(path)
        assert complaints(answer, status=404) == []
        elsewhere = f"{keys_of(other)}/{key.row.id}"
        nowhere = f"{keys_of(other)}/{uuid4()}"
        for missing in (elsewhere, nowhere):
            answer = await org.owner.client.delete(missing)
            assert complaints(answer, status=404) == []
            assert answer.json()["detail"] == "No API key has this id."
        answer = await key.client.delete(path)  # not even itself
        assert answer.json()["code"] == "user_required"
        assert (await key.client.get(org.path)).status_code == 200
