"""What becomes of invitations whose sender leaves, or may no longer send such."""

import asyncio

import pytest
from fastapi import FastAPI

from app.db.connections import Connection
from app.models.base import utc_now
from app.models.invitations import InvitationStatus
from app.policy import Role
from tests.factories.api_keys import api_key
from tests.factories.invitations import Invited, invitation
from tests.factories.organizations import Tenant, join, member, tenant
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
    new_email,
)

ACCEPT = "/api/v1/invitations/accept"


async def sent_by(app: FastAPI, who: Account, of: Tenant) -> dict[Role, Invited]:
    by = who.user.id
    return {r: await invitation(app, of, role=r, invited_by=by) for r in Role}


async def statuses(of: Tenant, sent: dict[Role, Invited]) -> dict[str, str]:
    """Return what became of invitations, by their role."""
    url = f"{of.path}/invitations"
    items = (await of.owner.client.get(url, params={"size": 50})).json()["items"]
    ids = {str(one.row.id) for one in sent.values()}
    return {item["role"]: item["status"] for item in items if item["id"] in ids}


def after(role: Role) -> dict[str, str]:
    """Return what becomes of those whose sender is of a role from now on."""
    return {r: "revoked" if r.rank > role.rank else "pending" for r in Role}


async def revoked_in(of: Tenant, look: Connection) -> tuple[int, int]:
    """Return how many are in the books, and how many others were told of."""
    row = await look.fetchrow(
        "SELECT (SELECT count(*) FROM audit_events WHERE organization_id = $1"
        " AND action = 'invitation.revoked'),"
        " (SELECT count(*) FROM outbox WHERE organization_id = $1"
        " AND type = 'invitation.revoked')",
        of.id,
    )
    assert row is not None
    return row[0], row[1]


class TestDeparture:
    async def test_revokes_what_is_open_there_and_nothing_else(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        bob = await member(app, ours, Role.ADMIN)
        await join(app, theirs, bob.user, Role.ADMIN)
        gone, elsewhere = await sent_by(app, bob, ours), await sent_by(app, bob, theirs)
        kept = await sent_by(app, ours.owner, ours)
        by, accepted = bob.user.id, InvitationStatus.ACCEPTED
        used = await invitation(app, ours, status=accepted, invited_by=by)
        second = await account(app, email_verified_at=utc_now())
        link = await invitation(app, ours, second.user.email, invited_by=by)
        url = f"{ours.path}/members/{bob.user.id}"
        assert (await ours.owner.client.delete(url)).status_code == 204
        assert set((await statuses(ours, gone)).values()) == {"revoked"}
        assert await statuses(ours, kept) == after(Role.OWNER)
        assert await statuses(theirs, elsewhere) == after(Role.OWNER)
        assert (await statuses(ours, {Role.MEMBER: used}))["member"] == "accepted"
        answer = await second.client.post(ACCEPT, json=link.body)
        assert answer.status_code == 404
        assert await revoked_in(ours, owner_connection) == (5, 5)
        assert await revoked_in(theirs, owner_connection) == (0, 0)

    @pytest.mark.parametrize("how", ["leaves", "goes"])
    async def test_is_whatever_way_one_goes(self, app: FastAPI, how: str) -> None:
        ours = await tenant(app)
        bob = await account_with_password(app)
        await join(app, ours, bob.user, Role.ADMIN)
        sent = await sent_by(app, bob, ours)
        if how == "leaves":
            answer = await bob.client.delete(f"{ours.path}/members/{bob.user.id}")
        else:
            own = {"password": PASSWORD}
            answer = await bob.client.post("/api/v1/auth/delete-account", json=own)
        assert answer.status_code == 204, answer.text
        assert set((await statuses(ours, sent)).values()) == {"revoked"}

    async def test_takes_what_was_sent_by_a_key(self, app: FastAPI) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, Role.ADMIN)
        second = await account(app, email_verified_at=utc_now())
        key = await api_key(app, ours, bob, *sorted(Role.ADMIN.permissions))
        url, body = f"{ours.path}/invitations", {"role": "admin"}
        made = await key.client.post(url, json={"email": second.user.email, **body})
        assert made.status_code == 201
        url = f"{ours.path}/members/{bob.user.id}"
        assert (await ours.owner.client.delete(url)).status_code == 204
        own = (await second.client.get("/api/v1/invitations")).json()
        assert own["items"] == []

    @pytest.mark.parametrize("rival", ["remove", "demote"])
    async def test_leaves_nothing_open_that_is_sent_meanwhile(
        self,
        app: FastAPI,
        owner_connection: Connection,
        monkeypatch: pytest.MonkeyPatch,
        rival: str,
    ) -> None:
        monkeypatch.setattr("app.web.routing.ATTEMPTS", 1)  # shows a deadlock
        sent = "SELECT count(*) FROM invitations WHERE invited_by = $1 AND status = $2"
        ours = await tenant(app)
        for turn in range(8):
            bob = await member(app, ours, Role.ADMIN)
            url = f"{ours.path}/members/{bob.user.id}"
            pair = [
                bob.client.post(
                    f"{ours.path}/invitations",
                    json={"email": new_email(), "role": "admin"},
                ),
                ours.owner.client.delete(url)
                if rival == "remove"
                else ours.owner.client.patch(url, json={"role": "member"}),
            ]
            answers = await asyncio.gather(*(pair if turn % 2 else pair[::-1]))
            assert {a.status_code for a in answers} <= {200, 201, 204, 403, 404}
            by = bob.user.id
            assert await owner_connection.fetchval(sent, by, "pending") == 0


class TestDemotion:
    @pytest.mark.parametrize("role", Role)
    async def test_revokes_what_is_to_more_than_one_has(
        self, app: FastAPI, owner_connection: Connection, role: Role
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, Role.OWNER)
        sent, kept = await sent_by(app, bob, ours), await sent_by(app, ours.owner, ours)
        url = f"{ours.path}/members/{bob.user.id}"
        answer = await ours.owner.client.patch(url, json={"role": role})
        assert answer.status_code == 200
        assert await statuses(ours, sent) == after(role)
        assert await statuses(ours, kept) == after(Role.OWNER)
        number = len(Role) - 1 - role.rank
        assert await revoked_in(ours, owner_connection) == (number, number)

    async def test_is_what_handing_over_is(self, app: FastAPI) -> None:
        ours = await tenant(app)
        bob = await member(app, ours)
        sent = await sent_by(app, ours.owner, ours)
        body = {"user_id": str(bob.user.id)}
        answer = await ours.owner.client.post(f"{ours.path}/transfer", json=body)
        assert answer.status_code == 200
        assert await statuses(ours, sent) == after(Role.ADMIN)
