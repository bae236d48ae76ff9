"""Invitations as those see them who get them."""

from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.db.connections import Connection
from app.models.base import utc_now
from app.models.invitations import InvitationStatus
from app.models.users import User
from app.policy import Permission, Role
from tests.contract.answers import without_identity
from tests.factories.api_keys import api_key
from tests.factories.invitations import Invited, an_hour_ago, invitation
from tests.factories.organizations import Tenant, join, member, tenant
from tests.factories.users import (
    Account,
    account,
    new_email,
)

ROOT = "/api/v1/invitations"
ACCEPT, DECLINE = f"{ROOT}/accept", f"{ROOT}/decline"
UNKNOWN = {"token": "x" * 43}
MEMBER_FIELDS = {"user_id", "email", "full_name", "role", "joined_at"}


async def somebody(app: FastAPI, **given: Any) -> Account:
    """Sign somebody in whose address is verified."""
    return await account(app, **{"email_verified_at": utc_now(), **given})


async def accept(by: Account, invited: Invited) -> Response:
    return await by.client.post(ACCEPT, json=invited.body)


async def decline(by: Account, invited: Invited) -> Response:
    return await by.client.post(DECLINE, json=invited.body)


async def own(by: Account) -> list[dict[str, Any]]:
    answer = await by.client.get(ROOT)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def assert_unknown(answer: Response) -> None:
    assert code_of(answer) == (404, "not_found")


async def roles_in(owner: Connection, of: Tenant, user: User) -> list[str]:
    rows = await owner.fetch(
        "SELECT role FROM memberships WHERE organization_id = $1 AND user_id = $2",
        of.id,
        user.id,
    )
    return [row[0] for row in rows]


async def status_of(owner: Connection, invited: Invited) -> str | None:
    status: str | None = await owner.fetchval(
        "SELECT status FROM invitations WHERE id = $1", invited.row.id
    )
    return status


class TestGetOwnInvitations:
    @pytest.mark.parametrize("verified_at", [None, utc_now()])
    async def test_are_the_open_ones_to_the_address_that_one_has(
        self, app: FastAPI, verified_at: object
    ) -> None:
        bob = await account(app, email_verified_at=verified_at)
        acme = await tenant(app, name="Acme")
        open_ = await invitation(app, acme, bob.user.email, role=Role.ADMIN)
        await invitation(app, acme)
        for ended in ("accepted", "declined", "revoked"):
            status = InvitationStatus(ended)
            await invitation(app, acme, bob.user.email, status=status)
        await invitation(app, await tenant(app), bob.user.email, **an_hour_ago())
        gone = await tenant(app, deleted_at=utc_now())
        await invitation(app, gone, bob.user.email)
        (one,) = await own(bob)
        assert one.pop("expires_at").endswith("Z")
        assert one.pop("created_at").endswith("Z")
        assert one == {
            "id": str(open_.row.id),
            "email": bob.user.email,
            "role": "admin",
            "status": "pending",
            "organization": {"id": str(acme.id), "name": "Acme"},
        }
        assert await own(acme.owner) == []

    async def test_are_for_people(self, app: FastAPI) -> None:
        acme = await tenant(app)
        scopes = acme.owner, *Permission
        key = await api_key(app, acme, *scopes)
        answers = [
            await key.client.get(ROOT),
            await key.client.post(ACCEPT, json=UNKNOWN),
            await key.client.post(DECLINE, json=UNKNOWN),
        ]
        assert {code_of(answer) for answer in answers} == {(403, "user_required")}


class TestAccept:
    async def test_makes_a_member_once(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        invited = await invitation(app, acme, bob.user.email, role=Role.ADMIN)
        answer = await accept(bob, invited)
        assert answer.status_code == 200, answer.text
        assert answer.json().keys() == MEMBER_FIELDS
        assert (answer.json()["user_id"], answer.json()["role"]) == (
            str(bob.user.id),
            "admin",
        )
        (latest, _) = (await bob.client.get(f"{acme.path}/members")).json()["items"]
        assert latest == answer.json()
        for again in (await accept(bob, invited), await decline(bob, invited)):
            assert code_of(again) == (409, "invitation_used")
        assert await own(bob) == []
        told = await owner_connection.fetch(
            "SELECT type, data::text FROM outbox WHERE organization_id = $1"
            " ORDER BY position",
            acme.id,
        )
        assert [row[0] for row in told] == ["member.joined", "invitation.accepted"]
        books = await owner_connection.fetch(
            "SELECT action, actor_id, changes::text FROM audit_events"
            " WHERE organization_id = $1",
            acme.id,
        )
        assert {(row[0], row[1]) for row in books} == {
            ("member.joined", bob.user.id),
            ("invitation.accepted", bob.user.id),
        }
        assert not any(bob.user.email in row[2] for row in books)

    async def test_tells_a_stranger_nothing(self, app: FastAPI) -> None:
        acme, bob = await tenant(app), await somebody(app)
        gone = await tenant(app, deleted_at=utc_now())
        email, revoked = bob.user.email, InvitationStatus.REVOKED
        to_bob = await invitation(app, acme, email)
        none_of_bob_s = [
            await invitation(app, acme),
            await invitation(app, acme, **an_hour_ago()),
            await invitation(app, acme, status=InvitationStatus.ACCEPTED),
            await invitation(app, acme, email, status=revoked),
            await invitation(app, acme, email, status=revoked, **an_hour_ago()),
            await invitation(app, gone, email),
        ]
        unknown = await bob.client.post(ACCEPT, json=UNKNOWN)
        assert_unknown(unknown)
        answers = [await accept(bob, one) for one in none_of_bob_s]
        answers += [await decline(bob, one) for one in none_of_bob_s]
        for stranger in (acme.owner, await account(app)):
            answers += [await accept(stranger, to_bob), await decline(stranger, to_bob)]
        assert all(without_identity(a) == without_identity(unknown) for a in answers)
        assert (await accept(bob, to_bob)).status_code == 200

    async def test_wants_a_verified_address_and_says_so_to_its_owner_only(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob, eve = await tenant(app), await account(app), await account(app)
        invited = await invitation(app, acme, bob.user.email)
        assert code_of(await accept(bob, invited)) == (403, "email_not_verified")
        assert_unknown(await accept(eve, invited))
        assert await roles_in(owner_connection, acme, bob.user) == []
        verify = "UPDATE users SET email_verified_at = now() WHERE id = $1"
        await owner_connection.execute(verify, bob.user.id)
        assert (await accept(bob, invited)).status_code == 200

    async def test_comes_too_late_after_a_week(self, app: FastAPI) -> None:
        acme, bob = await tenant(app), await somebody(app)
        invited = await invitation(app, acme, bob.user.email, **an_hour_ago())
        for answer in (await accept(bob, invited), await decline(bob, invited)):
            assert code_of(answer) == (410, "invitation_expired")

    async def test_is_bound_to_the_address_that_the_account_has_now(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        to_old = await invitation(app, acme, bob.user.email)
        to_new = await invitation(app, acme, new_email())
        change = "UPDATE users SET email = $2 WHERE id = $1"
        await owner_connection.execute(change, bob.user.id, to_new.row.email)
        assert_unknown(await accept(bob, to_old))
        assert [one["id"] for one in await own(bob)] == [str(to_new.row.id)]
        assert (await accept(bob, to_new)).status_code == 200

    async def test_is_not_for_a_member(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        await join(app, acme, bob.user, Role.VIEWER)
        invited = await invitation(app, acme, bob.user.email, role=Role.ADMIN)
        assert code_of(await accept(bob, invited)) == (409, "already_member")
        assert await roles_in(owner_connection, acme, bob.user) == ["viewer"]
        assert await status_of(owner_connection, invited) == "pending"
        assert (await decline(bob, invited)).status_code == 204

    async def test_is_impossible_when_whoever_invited_has_left(
        self, app: FastAPI
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        admin = await member(app, acme, Role.ADMIN)
        by = {"invited_by": admin.user.id}
        invited = await invitation(app, acme, bob.user.email, **by)
        leave = f"{acme.path}/members/{admin.user.id}"
        assert (await admin.client.delete(leave)).status_code == 204
        assert (await accept(bob, invited)).status_code == 404


class TestDecline:
    async def test_is_once_and_for_all(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await account(app)  # not verified
        invited = await invitation(app, acme, bob.user.email)
        answer = await decline(bob, invited)
        assert (answer.status_code, answer.content) == (204, b"")
        for again in (await decline(bob, invited), await accept(bob, invited)):
            assert code_of(again) == (409, "invitation_used")
        assert await status_of(owner_connection, invited) == "declined"
        assert await roles_in(owner_connection, acme, bob.user) == []
