"""Superusers who act as users, from outside."""

import json
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from app.db.repositories.sessions import IMPERSONATION
from app.security.refresh_tokens import RefreshToken
from app.services.support import DEVICE
from tests.contract.answers import complaints, without_identity
from tests.contract.forgeries import decode
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.support import acting_as, impersonate, impersonate_url
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
    signed_in,
)
from tests.faults.races import refresh

AUTH = "/api/v1/auth"
ME = "/api/v1/users/me"
USERS = "/api/v1/users"


@pytest.fixture
async def root(app: FastAPI) -> Account:
    return await account(app, is_superuser=True)


def members_url(of: Tenant, whose: Account) -> str:
    return f"{of.path}/members/{whose.user.id}"


class TestImpersonateUser:
    async def test_lets_a_superuser_be_the_user_for_a_while(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        answer = await impersonate(root, ada)
        assert answer.headers["cache-control"] == "no-store"
        token = answer.json()["access_token"]
        assert answer.json() == {
            "access_token": token,
            "token_type": "bearer",
            "expires_in": IMPERSONATION.total_seconds(),
        }
        claims = decode(token.split(".")[1])
        assert claims["sub"] == str(ada.user.id)
        assert claims["act"] == {"sub": str(root.user.id)}
        assert "act" not in decode(ada.token.split(".")[1])
        support = await acting_as(app, ada, root=root)
        own = (await support.client.get(ME)).json()
        assert (own["id"], own["is_superuser"]) == (str(ada.user.id), False)
        assert (await support.client.get(USERS)).status_code == 403

    async def test_is_seen_among_the_sessions_of_the_user(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        await acting_as(app, ada, root=root)
        page = (await ada.client.get(f"{AUTH}/sessions")).json()
        support, own = page["items"]
        assert (support["device"], support["current"]) == (DEVICE, False)
        assert own["current"]
        ends = datetime.fromisoformat(support["expires_at"])
        assert ends - datetime.fromisoformat(support["created_at"]) == IMPERSONATION
        page = (await root.client.get(f"{AUTH}/sessions")).json()
        assert page["total"] == 1

    async def test_is_refused_for_whom_nobody_may_be(
        self, app: FastAPI, root: Account
    ) -> None:
        boss = await account(app, is_superuser=True)
        for whose in (root, boss):
            answer = await impersonate(root, whose)
            assert complaints(answer, status=403) == []
        off = await account(app, is_active=False)
        answer = await impersonate(root, off)
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "conflict"
        erased = await account(app)
        await root.client.delete(f"{USERS}/{erased.user.id}")
        gone = await impersonate(root, erased)
        missing = await root.client.post(
            f"/api/v1/admin/users/{uuid4()}/impersonate", json={}
        )
        assert gone.status_code == missing.status_code == 404
        assert without_identity(gone) == without_identity(missing)

    async def test_is_for_superusers_themselves(
        self, app: FastAPI, client: AsyncClient, root: Account
    ) -> None:
        ada, bob = await account(app), await account(app)
        support = await acting_as(app, ada, root=root)
        for who in (bob, support):
            for whose in (ada, bob, root):
                answer = await impersonate(who, whose)
                assert complaints(answer, status=403) == []
        assert (await client.post(impersonate_url(ada))).status_code == 401

    async def test_is_written_down(
        self, app: FastAPI, root: Account, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        answer = await impersonate(root, ada)
        row = await owner_connection.fetchrow(
            "SELECT * FROM audit_events WHERE target_id = $1", ada.user.id
        )
        assert row is not None
        assert (row["action"], row["target_type"]) == ("user.impersonated", "user")
        assert (row["actor_type"], row["actor_id"]) == ("user", root.user.id)
        assert row["organization_id"] is row["impersonator_id"] is None
        assert row["request_id"] == answer.headers["x-request-id"]
        changes = json.loads(row["changes"])
        assert changes.keys() == {"expires_at"}

    async def test_what_is_done_by_it_tells_who_did_it(
        self, app: FastAPI, root: Account, owner_connection: Connection
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours)
        support = await acting_as(app, ours.owner, root=root)
        await support.client.patch(ours.path, json={"name": "Renamed by support"})
        await support.client.patch(members_url(ours, bob), json={"role": "admin"})
        await support.client.delete(members_url(ours, bob))
        await ours.owner.client.patch(ours.path, json={"name": "Renamed again"})
        rows = await owner_connection.fetch(
            "SELECT action, actor_id, impersonator_id FROM audit_events"
            " WHERE organization_id = $1 ORDER BY created_at, id",
            ours.id,
        )
        done = [(row["action"], row["impersonator_id"]) for row in rows]
        assert done == [
            ("organization.updated", root.user.id),
            ("member.updated", root.user.id),
            ("member.left", root.user.id),
            ("organization.updated", None),
        ]
        assert {row["actor_id"] for row in rows} == {ours.owner.user.id}


class TestActingAsAUser:
    async def test_makes_nobody_an_owner_and_takes_no_owner_away(
        self, app: FastAPI, root: Account
    ) -> None:
        ours = await tenant(app)
        bob, other = await member(app, ours), await member(app, ours)
        owner, admin = {"role": "owner"}, {"role": "admin"}
        made = await ours.owner.client.patch(members_url(ours, other), json=owner)
        assert made.is_success
        support = await acting_as(app, ours.owner, root=root)
        refused = [
            await support.client.patch(members_url(ours, bob), json=owner),
            await support.client.patch(members_url(ours, other), json=admin),
            await support.client.delete(members_url(ours, other)),
            await support.client.delete(members_url(ours, ours.owner)),
        ]
        as_bob = await acting_as(app, bob, root=root)
        refused.append(await as_bob.client.delete(members_url(ours, bob)))
        for answer in refused:
            assert complaints(answer, status=403) == []
        page = (await ours.owner.client.get(f"{ours.path}/members")).json()
        roles = {item["user_id"]: item["role"] for item in page["items"]}
        assert roles == {
            str(ours.owner.user.id): "owner",
            str(other.user.id): "owner",
            str(bob.user.id): "member",
        }

    async def test_ends_with_its_logout_and_nothing_else_does(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        first, second = [await acting_as(app, ada, root=root) for _ in range(2)]
        assert (await first.client.post(f"{AUTH}/logout")).status_code == 204
        assert (await first.client.get(ME)).status_code == 401
        for who in (ada, root, second):
            assert (await who.client.get(ME)).is_success

    async def test_ends_when_the_user_ends_it(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account_with_password(app)
        change = {"current_password": PASSWORD, "new_password": f"new {PASSWORD}"}
        support = await acting_as(app, ada, root=root)
        page = (await ada.client.get(f"{AUTH}/sessions")).json()
        one = f"{AUTH}/sessions/{page['items'][0]['id']}"
        for method, url, body in (
            ("DELETE", one, None),
            ("DELETE", f"{AUTH}/sessions", None),
            ("POST", f"{AUTH}/change-password", change),
        ):
            ended = await ada.client.request(method, url, json=body)
            assert ended.status_code == 204, ended.text
            assert (await support.client.get(ME)).status_code == 401
            support = await acting_as(app, ada, root=root)
        switched = await root.client.patch(
            f"{USERS}/{ada.user.id}", json={"is_active": False}
        )
        assert switched.is_success
        await root.client.patch(f"{USERS}/{ada.user.id}", json={"is_active": True})
        assert (await support.client.get(ME)).status_code == 401

    @pytest.mark.parametrize("lost", ["is_superuser", "is_active"])
    async def test_ends_for_good_with_the_right_to_it(
        self, app: FastAPI, root: Account, lost: str
    ) -> None:
        boss, ada = await account(app, is_superuser=True), await account(app)
        support = await acting_as(app, ada, root=boss)
        url = f"{USERS}/{boss.user.id}"
        await root.client.patch(url, json={lost: False})
        assert (await support.client.get(ME)).status_code == 401
        await root.client.patch(url, json={lost: True})
        assert (await support.client.get(ME)).status_code == 401
        assert (await ada.client.get(ME)).is_success

    async def test_ends_with_the_account_and_the_sessions_of_who_acts(
        self, app: FastAPI, root: Account
    ) -> None:
        boss, ada = await account(app, is_superuser=True), await account(app)
        support = await acting_as(app, ada, root=boss)
        other = await signed_in(app, boss.user)
        assert (await other.client.delete(f"{AUTH}/sessions")).status_code == 204
        assert (await support.client.get(ME)).status_code == 401
        support = await acting_as(app, ada, root=other)
        erased = await root.client.delete(f"{USERS}/{boss.user.id}")
        assert erased.status_code == 204
        assert (await support.client.get(ME)).status_code == 401

    async def test_ends_when_who_acts_signs_out(self, app: FastAPI) -> None:
        boss = await account(app, is_superuser=True)
        support = await acting_as(app, await account(app), root=boss)
        assert (await boss.client.post(f"{AUTH}/logout")).status_code == 204
        assert (await support.client.get(ME)).status_code == 401

    async def test_is_refused_by_what_is_stored_alone(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        boss, ada = await account(app, is_superuser=True), await account(app)
        ours = await tenant(app, owner=ada)
        support = await acting_as(app, ada, root=boss)
        for change, whose in (
            ("is_superuser = NOT is_superuser", boss),
            ("is_active = NOT is_active", boss),
            ("is_superuser = NOT is_superuser", ada),
        ):
            sql = f"UPDATE users SET {change} WHERE id = $1"
            await owner_connection.execute(sql, whose.user.id)
            for url in (ME, ours.path):
                assert (await support.client.get(url)).status_code == 401
            await owner_connection.execute(sql, whose.user.id)
            assert (await support.client.get(ours.path)).is_success
        await owner_connection.execute(
            "UPDATE user_sessions SET expires_at = now() WHERE impersonator_id = $1",
            boss.user.id,
        )
        assert (await support.client.get(ME)).status_code == 401

    async def test_no_refresh_token_goes_on_with_it(
        self, app: FastAPI, client: AsyncClient, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        support = await acting_as(app, ada)
        row = await owner_connection.fetchrow(
            "SELECT id, user_id, expires_at FROM user_sessions"
            " WHERE user_id = $1 AND impersonator_id IS NOT NULL",
            ada.user.id,
        )
        assert row is not None
        tokens = app.state.resources.refresh_tokens
        first = RefreshToken.first(row["id"])
        await owner_connection.execute(
            "UPDATE user_sessions SET token_hash = $1 WHERE id = $2",
            first.hash,
            row["id"],
        )
        answer = await refresh(client, tokens.write(first))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_grant")
        assert (await support.client.get(ME)).is_success
        assert row["expires_at"] < datetime.now(UTC) + IMPERSONATION
