"""Invitations that several people do something about at once; and erased accounts."""

import asyncio
from collections.abc import Awaitable
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.db.connections import Connection
from app.models.base import utc_now
from app.models.invitations import InvitationStatus
from tests.factories.invitations import Invited, an_hour_ago, invitation
from tests.factories.organizations import Tenant, tenant
from tests.factories.users import PASSWORD, Account, account, account_with_password
from tests.routers.test_own_invitations import accept, roles_in, somebody, status_of

USERS = "/api/v1/users"


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Show a deadlock, which would be run again."""
    monkeypatch.setattr("app.web.routing.ATTEMPTS", 1)


async def at_once(*requests: Awaitable[Response]) -> list[Response]:
    return list(await asyncio.gather(*requests))


def rival_of(
    name: str, *, of: Tenant, invited: Invited, by: Account
) -> Awaitable[Response]:
    """Begin what takes away what accepting needs."""
    owner, path = of.owner.client, f"{of.path}/invitations/{invited.row.id}"
    if name == "revoke":
        return owner.delete(path)
    if name == "resend":
        return owner.post(f"{path}/resend")
    if name == "delete":
        return owner.delete(of.path, params={"slug": of.slug})
    return by.client.post("/api/v1/auth/logout")


@pytest.mark.usefixtures("once")
class TestRaces:
    async def test_of_many_who_use_one_link_one_joins(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        invited = await invitation(app, acme, bob.user.email)
        answers = await at_once(*(accept(bob, invited) for _ in range(10)))
        assert sorted(a.status_code for a in answers) == [200] + [409] * 9
        assert await roles_in(owner_connection, acme, bob.user) == ["member"]

    @pytest.mark.parametrize("name", ["revoke", "resend", "delete", "log out"])
    async def test_whoever_is_first_decides(
        self, app: FastAPI, owner_connection: Connection, name: str
    ) -> None:
        for turn in range(4):
            acme, bob = await tenant(app), await somebody(app)
            invited = await invitation(app, acme, bob.user.email)
            rival = rival_of(name, of=acme, invited=invited, by=bob)
            pair = [accept(bob, invited), rival]
            answers = await at_once(*(pair if turn % 2 else reversed(pair)))
            accepted, other = answers if turn % 2 else reversed(answers)
            joined = await roles_in(owner_connection, acme, bob.user)
            assert bool(joined) == accepted.is_success
            assert accepted.status_code in {200, 401, 404}
            assert other.status_code in {202, 204, 409}
            if name in {"revoke", "resend"}:
                assert accepted.is_success != other.is_success

    async def test_whoever_joins_is_not_invited_once_more(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        acme, bob = await tenant(app), await somebody(app)
        invited = await invitation(app, acme, bob.user.email)
        body = {"email": bob.user.email, "role": "admin"}
        made = f"{acme.path}/invitations"
        accepted, again = await at_once(
            accept(bob, invited), acme.owner.client.post(made, json=body)
        )
        assert (accepted.status_code, again.status_code) == (200, 409)
        assert await roles_in(owner_connection, acme, bob.user) == ["member"]

    async def test_whoever_is_erased_is_a_member_nowhere(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        superuser = await account(app, is_superuser=True)
        for turn in range(4):
            acme, bob = await tenant(app), await somebody(app)
            invited = await invitation(app, acme, bob.user.email)
            erased = superuser.client.delete(f"{USERS}/{bob.user.id}")
            pair = [accept(bob, invited), erased]
            answers = await at_once(*(pair if turn % 2 else reversed(pair)))
            assert {a.status_code for a in answers} <= {200, 204, 401}
            assert await roles_in(owner_connection, acme, bob.user) == []
            assert await status_of(owner_connection, invited) is None


STORED = """
    SELECT string_agg(text, ' ') FROM (
        SELECT a::text AS text FROM audit_events a WHERE organization_id = ANY ($1)
        UNION ALL SELECT o::text FROM outbox o WHERE organization_id = ANY ($1)
        UNION ALL SELECT convert_from(payload, 'UTF8') FROM jobs.queue
        WHERE entrypoint = 'mail.send' AND position('invitation_id' in payload) > 0
    ) AS all_of_it
"""


async def invite(by: Tenant, email: str) -> UUID:
    body = {"email": email, "role": "member"}
    made = await by.owner.client.post(f"{by.path}/invitations", json=body)
    assert made.status_code == 201, made.text
    return UUID(made.json()["id"])


class TestErasure:
    async def test_forgets_the_address_everywhere(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        bob = await account_with_password(app, email_verified_at=utc_now())
        email, erased = bob.user.email, f"{bob.user.id}@erased.invalid"
        acme, other = await tenant(app), await tenant(app)
        ids = [await invite(place, email) for place in (acme, other)]
        gone = await other.owner.client.delete(f"{other.path}/invitations/{ids[1]}")
        assert gone.status_code == 204
        await invitation(app, other, email, **an_hour_ago())
        await invitation(app, other, email, status=InvitationStatus.DECLINED)
        kept = await invitation(app, acme)
        mine = await invitation(app, acme, invited_by=bob.user.id)
        answer = await bob.client.post(
            "/api/v1/auth/delete-account", json={"password": PASSWORD}
        )
        assert answer.status_code == 204, answer.text
        left = await owner_connection.fetch(
            "SELECT id FROM invitations WHERE organization_id = ANY ($1) ORDER BY id",
            [acme.id, other.id],
        )
        assert [row[0] for row in left] == [kept.row.id, mine.row.id]
        told = await owner_connection.fetch(
            "SELECT type, data->>'email' FROM outbox WHERE subject = ANY ($1)"
            " ORDER BY subject, position",
            ids,
        )
        types = ("invitation.created", "invitation.revoked")
        assert [tuple(row) for row in told] == [(type_, erased) for type_ in types] * 2
        stored = await owner_connection.fetchval(STORED, [acme.id, other.id])
        assert str(ids[0]) in stored
        assert email not in stored

    async def test_by_a_superuser_does_the_same(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        superuser = await account(app, is_superuser=True)
        bob = await account(app, email_verified_at=utc_now())
        invited = await invitation(app, await tenant(app), bob.user.email)
        answer = await superuser.client.delete(f"/api/v1/users/{bob.user.id}")
        assert answer.status_code == 204, answer.text
        assert await status_of(owner_connection, invited) is None

    async def test_of_who_has_not_verified_the_address_takes_nothing_of_it(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        stranger = await account_with_password(app)
        invited = await invitation(app, await tenant(app), stranger.user.email)
        answer = await stranger.client.post(
            "/api/v1/auth/delete-account", json={"password": PASSWORD}
        )
        assert answer.status_code == 204, answer.text
        assert await status_of(owner_connection, invited) == "pending"
