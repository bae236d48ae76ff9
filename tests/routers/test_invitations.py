"""Invitations as those see them who send them."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.db.connections import Connection
from app.models.base import new_id, utc_now
from app.models.invitations import Invitation, InvitationStatus
from app.policy import Permission, Role
from tests.contract.answers import without_identity
from tests.factories.api_keys import api_key
from tests.factories.invitations import an_hour_ago, invitation
from tests.factories.organizations import ROOT, Tenant, join, member, tenant
from tests.factories.users import Account, account, new_email

FIELDS = {"id", "email", "role", "status", "expires_at", "created_at"}
WEEK = timedelta(days=7)


async def invite(
    by: AsyncClient, to: Tenant, email: str, role: str = "member"
) -> Response:
    path = f"{to.path}/invitations"
    return await by.post(path, json={"email": email, "role": role})


async def listed(by: Account, of: Tenant, **query: str) -> list[dict[str, Any]]:
    answer = await by.client.get(f"{of.path}/invitations", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def statuses(of: Tenant, email: str) -> list[str]:
    found = await listed(of.owner, of)
    return [one["status"] for one in found if one["email"] == email]


def path_of(of: Tenant, row: Invitation) -> str:
    return f"{of.path}/invitations/{row.id}"


def seconds_from_a_week(text: str) -> float:
    distance = datetime.fromisoformat(text) - (utc_now() + WEEK)
    return abs(distance.total_seconds())


def code_of(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestGetInvitations:
    async def test_tells_what_has_become_of_each_and_nothing_else(
        self, app: FastAPI
    ) -> None:
        acme, other = await tenant(app), await tenant(app)
        await invitation(app, other)
        await invitation(app, acme, **an_hour_ago())
        await invitation(app, acme, **an_hour_ago(), status=InvitationStatus.ACCEPTED)
        for status in ("declined", "revoked", "pending"):
            await invitation(app, acme, status=InvitationStatus(status))
        found = await listed(acme.owner, acme)
        assert [one["status"] for one in found] == [
            "pending",
            "revoked",
            "declined",
            "accepted",
            "expired",
        ]
        assert all(one.keys() == FIELDS for one in found)
        emails = [one["email"] for one in await listed(acme.owner, acme, sort="email")]
        assert emails == sorted(emails)

    async def test_is_for_those_who_may_invite(self, app: FastAPI) -> None:
        acme = await tenant(app)
        sent = await invitation(app, acme)
        for role in (Role.VIEWER, Role.MEMBER):
            somebody = await member(app, acme, role)
            client, path = somebody.client, path_of(acme, sent.row)
            answers = [
                await client.get(f"{acme.path}/invitations"),
                await invite(somebody.client, acme, new_email()),
                await client.delete(path),
                await client.post(f"{path}/resend"),
            ]
            assert {code_of(a) for a in answers} == {(403, "forbidden")}
        outsider = await account(app)
        answers = [
            await outsider.client.get(f"{acme.path}/invitations"),
            await invite(outsider.client, acme, new_email()),
            await outsider.client.delete(path_of(acme, sent.row)),
        ]
        missing = await outsider.client.get(f"{ROOT}/{new_id()}/invitations")
        assert {str(without_identity(a)) for a in [missing, *answers]} == {
            str(without_identity(missing))
        }


class TestCreateInvitation:
    async def test_is_open_for_a_week(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, email = await tenant(app), new_email()
        answer = await invite(acme.owner.client, acme, email.upper(), "viewer")
        assert answer.status_code == 201
        new = answer.json()
        assert new.keys() == FIELDS
        path = f"{acme.path}/invitations/{new['id']}"
        assert answer.headers["location"] == path
        assert (new["email"], new["role"], new["status"]) == (
            email,
            "viewer",
            "pending",
        )
        assert seconds_from_a_week(new["expires_at"]) < 60
        assert await listed(acme.owner, acme) == [new]
        books = await owner_connection.fetch(
            "SELECT action, actor_id, changes::text FROM audit_events"
            " WHERE organization_id = $1 AND target_id = $2",
            acme.id,
            new["id"],
        )
        ((action, actor_id, changes),) = books
        assert (action, actor_id) == ("invitation.created", acme.owner.user.id)
        assert email not in changes
        assert '"viewer"' in changes

    @pytest.mark.parametrize("role", Role)
    async def test_is_never_to_a_role_above_one_s_own(
        self, app: FastAPI, role: Role
    ) -> None:
        acme = await tenant(app)
        admin = await member(app, acme, Role.ADMIN)
        answer = await invite(admin.client, acme, new_email(), role)
        assert answer.status_code == (403 if role == Role.OWNER else 201)
        assert (await invite(acme.owner.client, acme, new_email(), role)).is_success

    async def test_is_not_for_a_member_nor_twice(self, app: FastAPI) -> None:
        acme, other, email = await tenant(app), await tenant(app), new_email()
        bob = await member(app, acme)
        answer = await invite(acme.owner.client, acme, bob.user.email)
        assert code_of(answer) == (409, "already_member")
        # What is so elsewhere does not matter, and is not told.
        assert (
            await invite(other.owner.client, other, bob.user.email)
        ).status_code == 201
        assert (await invite(acme.owner.client, acme, email)).status_code == 201
        again = await invite(acme.owner.client, acme, email.title())
        assert code_of(again) == (409, "already_invited")
        assert (await invite(other.owner.client, other, email)).status_code == 201

    @pytest.mark.parametrize("ended", ["declined", "revoked", "accepted", "expired"])
    async def test_may_follow_one_that_has_ended(
        self, app: FastAPI, ended: str
    ) -> None:
        acme, email = await tenant(app), new_email()
        how = {"status": InvitationStatus(ended)}
        given = an_hour_ago() if ended == "expired" else how
        old = await invitation(app, acme, email, **given)
        assert (await invite(acme.owner.client, acme, email)).status_code == 201
        aside = "revoked" if ended == "expired" else ended
        assert await statuses(acme, email) == ["pending", aside]
        bob = await account(app, email=email, email_verified_at=utc_now())
        answer = await bob.client.post("/api/v1/invitations/accept", json=old.body)
        assert answer.status_code == (404 if aside == "revoked" else 409)

    async def test_is_made_once_of_many_at_once(self, app: FastAPI) -> None:
        acme, email = await tenant(app), new_email()
        await invitation(app, acme, email, **an_hour_ago())
        answers = await asyncio.gather(
            *(invite(acme.owner.client, acme, email) for _ in range(8))
        )
        assert sorted(a.status_code for a in answers) == [201] + [409] * 7
        assert sorted(await statuses(acme, email)) == ["pending", "revoked"]

    async def test_can_be_made_by_a_key(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme = await tenant(app)
        admin = await member(app, acme, Role.ADMIN)
        scopes = {Permission.INVITATIONS_WRITE} | Role.MEMBER.permissions
        key = await api_key(app, acme, admin, *scopes)
        made = await invite(key.client, acme, new_email())
        assert made.status_code == 201
        by = "SELECT invited_by FROM invitations WHERE id = $1"
        found = await owner_connection.fetchval(by, made.json()["id"])
        assert found == admin.user.id
        above = await invite(key.client, acme, new_email(), "owner")
        assert code_of(above) == (403, "forbidden")
        unread = await key.client.get(f"{acme.path}/invitations")
        assert code_of(unread) == (403, "forbidden")

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"email": "nobody", "role": "member"}, "/body/email"),
            ({"email": "a@example.com", "role": "king"}, "/body/role"),
            ({"email": "a@example.com"}, "/body/role"),
            ({"email": "a@example.com", "role": "member", "x": 1}, "/body/x"),
            ({"email": "a@example.com\r\nBcc: b@x.test", "role": "admin"}, None),
        ],
    )
    async def test_refuses_what_is_none(
        self, app: FastAPI, body: dict[str, object], pointer: str | None
    ) -> None:
        acme = await tenant(app)
        answer = await acme.owner.client.post(f"{acme.path}/invitations", json=body)
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert error["pointer"] == (pointer or "/body/email")


class TestRevokeInvitation:
    async def test_makes_the_link_unknown_and_can_be_repeated(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme = await tenant(app)
        bob = await account(app, email_verified_at=utc_now())
        sent = await invitation(app, acme, bob.user.email)
        for _ in range(2):
            answer = await acme.owner.client.delete(path_of(acme, sent.row))
            assert answer.status_code == 204
        for verb in ("accept", "decline"):
            path = f"/api/v1/invitations/{verb}"
            answer = await bob.client.post(path, json=sent.body)
            assert code_of(answer) == (404, "not_found")
        assert await statuses(acme, bob.user.email) == ["revoked"]
        told = "SELECT count(*) FROM outbox WHERE subject = $1"
        assert await owner_connection.fetchval(told, sent.row.id) == 1

    async def test_comes_too_late_for_one_that_was_used(self, app: FastAPI) -> None:
        acme = await tenant(app)
        for status in (InvitationStatus.ACCEPTED, InvitationStatus.DECLINED):
            sent = await invitation(app, acme, status=status)
            answer = await acme.owner.client.delete(path_of(acme, sent.row))
            assert code_of(answer) == (409, "invitation_used")

    async def test_is_never_of_another_organization(self, app: FastAPI) -> None:
        acme, other = await tenant(app), await tenant(app)
        theirs = (await invitation(app, other)).row
        for path in (path_of(acme, theirs), f"{acme.path}/invitations/{new_id()}"):
            answers = [
                await acme.owner.client.delete(path),
                await acme.owner.client.post(f"{path}/resend"),
            ]
            assert {code_of(a) for a in answers} == {(404, "not_found")}
        assert await statuses(other, theirs.email) == ["pending"]


class TestResendInvitation:
    @pytest.mark.parametrize("expired", [False, True])
    async def test_voids_the_link_before_and_begins_a_new_week(
        self, app: FastAPI, *, expired: bool
    ) -> None:
        acme, age = await tenant(app), an_hour_ago() if expired else {}
        bob = await account(app, email_verified_at=utc_now())
        sent = await invitation(app, acme, bob.user.email, **age)
        answer = await acme.owner.client.post(f"{path_of(acme, sent.row)}/resend")
        assert (answer.status_code, answer.content) == (202, b"")
        old = await bob.client.post("/api/v1/invitations/accept", json=sent.body)
        assert code_of(old) == (404, "not_found")
        (one,) = await listed(acme.owner, acme)
        assert (one["id"], one["status"]) == (str(sent.row.id), "pending")
        assert seconds_from_a_week(one["expires_at"]) < 60

    async def test_is_not_for_one_that_has_ended_nor_above_one_s_role(
        self, app: FastAPI
    ) -> None:
        acme = await tenant(app)
        admin = await member(app, acme, Role.ADMIN)

        async def resend(**given: Any) -> tuple[int, str]:
            sent = await invitation(app, acme, **given)
            path = f"{path_of(acme, sent.row)}/resend"
            return code_of(await admin.client.post(path))

        used = (409, "invitation_used")
        assert await resend(status=InvitationStatus.ACCEPTED) == used
        assert await resend(status=InvitationStatus.DECLINED) == used
        assert await resend(status=InvitationStatus.REVOKED) == (409, "conflict")
        assert await resend(role=Role.OWNER) == (403, "forbidden")
        bob = await account(app)
        await join(app, acme, bob.user)
        assert await resend(email=bob.user.email) == (409, "already_member")
