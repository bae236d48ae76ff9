"""API keys, as the programs that use them see them."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from fastapi import Depends, FastAPI

from app.config import Settings
from app.db.connections import Connection
from app.dependencies import verify_api_key
from app.models.base import utc_now
from app.policy import Permission, Role
from app.web.routing import Router
from tests.conftest import client_of, running
from tests.contract.answers import complaints, without_identity
from tests.factories.api_keys import HEADER, Program, api_key
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import Account, account

READ, WRITE = Permission.ORGANIZATION_READ, Permission.ORGANIZATION_WRITE
USERS = "/api/v1/users"


async def rename(key: Program, of: Tenant) -> int:
    answer = await key.client.patch(of.path, json={"name": "Renamed"})
    return answer.status_code


async def admin_with_key(app: FastAPI, of: Tenant) -> tuple[Account, Program]:
    admin = await member(app, of, Role.ADMIN)
    key = await api_key(app, of, admin, READ, WRITE)
    assert (await key.client.get(of.path)).status_code == 200
    return admin, key


class TestRights:
    async def test_are_its_scopes(self, app: FastAPI) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, READ)
        assert (await key.client.get(org.path)).json()["role"] == "owner"
        assert await rename(key, org) == 403
        assert (await key.client.get(f"{org.path}/members")).status_code == 403
        members = await api_key(app, org, org.owner, Permission.MEMBERS_READ)
        assert (await members.client.get(f"{org.path}/members")).status_code == 200
        assert (await members.client.get(org.path)).status_code == 403

    async def test_are_no_more_than_its_creator_has_now(self, app: FastAPI) -> None:
        org = await tenant(app)
        admin, key = await admin_with_key(app, org)
        assert await rename(key, org) == 200
        path = f"{org.path}/members/{admin.user.id}"
        owner = org.owner.client
        assert (await owner.patch(path, json={"role": "viewer"})).status_code == 200
        assert await rename(key, org) == 403
        assert (await key.client.get(org.path)).status_code == 200
        assert (await owner.patch(path, json={"role": "admin"})).status_code == 200
        assert await rename(key, org) == 200

    async def test_end_with_the_membership(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        org = await tenant(app)
        for who in ("the member", "the owner"):
            admin, key = await admin_with_key(app, org)
            other = admin if who == "the member" else org.owner
            path = f"{org.path}/members/{admin.user.id}"
            assert (await other.client.delete(path)).status_code == 204
            assert complaints(await key.client.get(org.path), status=401) == []
            events = await owner_connection.fetch(
                "SELECT actor_id FROM audit_events"
                " WHERE target_id = $1 AND action = 'api_key.revoked'",
                key.row.id,
            )
            assert [event["actor_id"] for event in events] == [other.user.id]

    async def test_end_however_the_membership_does(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        org = await tenant(app)
        admin, key = await admin_with_key(app, org)
        await owner_connection.execute(
            "DELETE FROM memberships WHERE user_id = $1", admin.user.id
        )
        assert (await key.client.get(org.path)).status_code == 401

    async def test_sleep_while_the_creator_is_switched_off(self, app: FastAPI) -> None:
        org, superuser = await tenant(app), await account(app, is_superuser=True)
        admin, key = await admin_with_key(app, org)
        for is_active, status in ((False, 401), (True, 200)):
            answer = await superuser.client.patch(
                f"{USERS}/{admin.user.id}", json={"is_active": is_active}
            )
            assert answer.status_code == 200
            assert (await key.client.get(org.path)).status_code == status
            assert await rename(key, org) == status

    async def test_end_with_the_account(self, app: FastAPI) -> None:
        org, superuser = await tenant(app), await account(app, is_superuser=True)
        admin, key = await admin_with_key(app, org)
        answer = await superuser.client.delete(f"{USERS}/{admin.user.id}")
        assert answer.status_code == 204
        assert (await key.client.get(org.path)).status_code == 401

    async def test_end_with_the_organization(self, app: FastAPI) -> None:
        org = await tenant(app)
        _, key = await admin_with_key(app, org)
        deleting = await api_key(app, org, org.owner, Permission.ORGANIZATION_DELETE)
        answer = await deleting.client.delete(org.path, params={"slug": org.slug})
        assert answer.status_code == 202
        assert complaints(await key.client.get(org.path), status=401) == []

    async def test_end_with_its_time(self, app: FastAPI) -> None:
        org, now = await tenant(app), utc_now()
        for expires_at, status in (
            (now - timedelta(seconds=1), 401),
            (now + timedelta(hours=1), 200),
        ):
            key = await api_key(app, org, org.owner, READ, expires_at=expires_at)
            assert (await key.client.get(org.path)).status_code == status


class TestPlace:
    async def test_is_its_organization_and_no_other(self, app: FastAPI) -> None:
        org = await tenant(app)
        other = await tenant(app, owner=org.owner)
        key = await api_key(app, org, org.owner, *Permission)
        nowhere = f"/api/v1/organizations/{uuid4()}"
        for below in ("", "/members", "/api-keys"):
            there = await key.client.get(other.path + below)
            missing = await key.client.get(nowhere + below)
            assert complaints(there, status=404) == []
            assert without_identity(there) == without_identity(missing)
        assert await rename(key, other) == 404

    @pytest.mark.parametrize(
        "path", [f"{USERS}/me", USERS, "/api/v1/organizations", "/api/v1/admin/jobs"]
    )
    async def test_is_not_where_people_are_at_home(
        self, app: FastAPI, path: str
    ) -> None:
        creator = await account(app, is_superuser=True)
        org = await tenant(app, owner=creator)
        key = await api_key(app, org, creator, *Permission)
        answer = await key.client.get(path)
        assert complaints(answer, status=403) == []
        assert answer.json()["code"] == "user_required"
        bad = await key.client.get(path, headers={HEADER: key.text[:-1]})
        assert complaints(bad, status=401) == []

    async def test_is_not_where_an_owner_is_needed_in_person(
        self, app: FastAPI
    ) -> None:
        org = await tenant(app)
        heir = await member(app, org)
        key = await api_key(app, org, org.owner, *Permission)
        body = {"user_id": str(heir.user.id)}
        answer = await key.client.post(f"{org.path}/transfer", json=body)
        assert complaints(answer, status=403) == []
        assert answer.json()["code"] == "user_required"


class TestBothCredentials:
    async def test_are_refused_whatever_they_are(self, app: FastAPI) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, READ)
        for token in (org.owner.token, "x", ""):
            for text in (key.text, "x", ""):
                headers = {"Authorization": f"Bearer {token}", HEADER: text}
                for path in (org.path, f"{USERS}/me"):
                    answer = await key.client.get(path, headers=headers)
                    assert complaints(answer, status=400) == []
                    assert answer.json()["code"] == "ambiguous_credentials"


class TestAudit:
    async def test_names_the_key(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        org = await tenant(app)
        key = await api_key(app, org, org.owner, WRITE, name="Warehouse robot")
        assert await rename(key, org) == 200
        (event,) = await owner_connection.fetch(
            "SELECT * FROM audit_events WHERE organization_id = $1", org.id
        )
        actor = event["actor_type"], event["actor_id"], event["actor_label"]
        assert actor == ("api_key", key.row.id, "Warehouse robot")
        assert event["action"] == "organization.updated"

    async def test_holds_nothing_of_a_key(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        org = await tenant(app)
        path = f"{org.path}/api-keys"
        new = {"name": "Robot", "scopes": [READ]}
        made = (await org.owner.client.post(path, json=new)).json()
        gone = await org.owner.client.delete(f"{path}/{made['id']}")
        assert gone.status_code == 204
        audit, outbox = [
            await owner_connection.fetch(
                f"SELECT * FROM {table} WHERE organization_id = $1 ORDER BY id",
                org.id,
            )
            for table in ("audit_events", "outbox")
        ]
        changes = ["api_key.created", "api_key.revoked"]
        assert [event["action"] for event in audit] == changes
        assert [event["type"] for event in outbox] == changes
        assert '"key_hash": {"to": "***", "from": null}' in audit[0]["changes"]
        assert "hash" not in outbox[0]["data"]
        assert made["key"][8:] not in str([*audit, *outbox])


class TestLimit:
    @pytest.fixture
    async def limited(self, settings: Settings) -> AsyncIterator[FastAPI]:
        update = {"RATE_LIMIT_ENABLED": True, "DB_POOL_SIZE": 1}
        async with running(settings.model_copy(update=update)) as app:
            yield app

    async def test_counts_each_key_by_itself(self, limited: FastAPI) -> None:
        org = await tenant(limited)
        keys = [await api_key(limited, org, org.owner, READ) for _ in range(2)]
        clients = [org.owner.client, *(key.client for key in keys)]
        for left in (599, 598):
            for client in clients:
                answer = await client.get(org.path)
                assert f'"requests";r={left};' in answer.headers["ratelimit"]
        refused = await keys[0].client.get(f"{USERS}/me")
        assert '"requests";r=597;' in refused.headers["ratelimit"]


class TestRouterOfPrograms:
    @pytest.fixture
    async def robots(self, settings: Settings) -> AsyncIterator[FastAPI]:
        router = Router(prefix="/robots", dependencies=[Depends(verify_api_key)])

        @router.get("/greeting")
        async def greet() -> dict[str, Any]:
            """Greet a program."""
            return {"hello": "robot"}

        update = {"DB_POOL_SIZE": 1}
        async with running(settings.model_copy(update=update)) as app:
            app.include_router(router)
            yield app

    async def test_lets_keys_in_and_nothing_else(self, robots: FastAPI) -> None:
        org = await tenant(robots)
        key = await api_key(robots, org, org.owner)
        assert (await key.client.get("/robots/greeting")).status_code == 200
        async with client_of(robots) as nobody:
            for headers, status in (
                ({}, 401),
                ({HEADER: ""}, 401),
                ({HEADER: key.text[:-1]}, 401),
                ({"Authorization": f"Bearer {org.owner.token}"}, 401),
                ({"Authorization": f"Bearer {key.text}"}, 401),
                ({HEADER: key.text, "Authorization": "Bearer x"}, 400),
            ):
                answer = await nobody.get("/robots/greeting", headers=headers)
                assert complaints(answer, status=status) == []

    async def test_says_so_in_its_description(self, robots: FastAPI) -> None:
        described = robots.openapi()["paths"]["/robots/greeting"]["get"]
        assert described["security"] == [{"APIKeyHeader": []}]
        assert {"400", "401", "429"} <= described["responses"].keys()


class TestDescription:
    def test_offers_keys_where_they_are_taken(self, app: FastAPI) -> None:
        both: list[dict[str, Any]] = [
            {"OAuth2PasswordBearer": []},
            {"APIKeyHeader": []},
        ]  # either, not both
        people = both[:1]
        for path, item in app.openapi()["paths"].items():
            for operation in item.values():
                if "security" in operation:
                    forbidden = str(operation["responses"].get("403"))
                    for_people = "user_required" in forbidden
                    expected = people if for_people else both
                    assert operation["security"] == expected, operation["operationId"]
                    assert for_people or "{organization_id}" in path
        keys = app.openapi()["paths"][
            "/api/v1/organizations/{organization_id}/api-keys"
        ]
        assert keys["get"]["security"] == both
        assert keys["post"]["security"] == people
