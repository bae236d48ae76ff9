"""What is written of invitations and keys, which have addresses and secrets."""

from typing import Any

from fastapi import FastAPI

from app.db.connections import Connection
from app.models.base import utc_now
from app.policy import Permission, Role
from tests.factories.api_keys import api_key
from tests.factories.invitations import invitation
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import account
from tests.written import written, wrote


async def books(owner: Connection, of: Tenant) -> str:
    """Return everything that was ever written of an organization."""
    found: list[Any] = []
    for table in ("audit_events", "outbox"):
        rows = f"SELECT t::text FROM {table} t WHERE organization_id = $1"
        found += await owner.fetch(rows, of.id)
    return str(found)


class TestInvitations:
    async def test_each_change_is_written_once_and_the_trail_has_no_address(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, invited = await tenant(app), await account(app)
        path, email = f"{one.path}/invitations", invited.user.email
        client = one.owner.client
        new = {"email": email, "role": "member"}
        answer = await client.post(path, json=new)
        assert await wrote(owner_connection, answer, 201) == ["invitation.created"]
        sent = f"{path}/{answer.json()['id']}"
        answers = [answer, await client.post(f"{sent}/resend")]
        assert await wrote(owner_connection, answers[1], 202) == ["invitation.resent"]
        answers.append(await client.delete(sent))
        revoked = ["invitation.revoked"]
        assert await wrote(owner_connection, answers[2], 204) == revoked
        for answer in answers:
            (row,), (event,) = await written(owner_connection, answer)
            assert email not in str(row)
            assert email in event["data"]
            for name in ("hash", "token"):
                assert name not in event["data"]

    async def test_what_its_addressee_does_is_written_as_theirs(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one, somebody = (
            await tenant(app),
            await account(app, email_verified_at=utc_now()),
        )
        accepted = await invitation(app, one, somebody.user.email)
        root = "/api/v1/invitations"
        answer = await somebody.client.post(f"{root}/accept", json=accepted.body)
        both = sorted(await wrote(owner_connection, answer))
        assert both == ["invitation.accepted", "member.joined"]
        other, stranger = (
            await tenant(app),
            await account(app, email_verified_at=utc_now()),
        )
        declined = await invitation(app, other, stranger.user.email)
        answer = await stranger.client.post(f"{root}/decline", json=declined.body)
        done = await wrote(owner_connection, answer, 204)
        assert done == ["invitation.declined"]
        (row,), _ = await written(owner_connection, answer)
        assert (row["actor_type"], row["actor_id"]) == ("user", stranger.user.id)
        for of, one_invited in ((one, accepted), (other, declined)):
            assert one_invited.token not in await books(owner_connection, of)


class TestApiKeys:
    async def test_each_change_is_written_once_without_the_key(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        path, client = f"{one.path}/api-keys", one.owner.client
        new = {"name": "CI", "scopes": ["organization:write"]}
        made = await client.post(path, json=new)
        assert await wrote(owner_connection, made, 201) == ["api_key.created"]
        key = made.json()
        gone = await client.delete(f"{path}/{key['id']}")
        assert await wrote(owner_connection, gone, 204) == ["api_key.revoked"]
        (row,), _ = await written(owner_connection, gone)
        assert row["target_label"] == "CI"
        everything = await books(owner_connection, one)
        assert key["key"] not in everything
        assert key["key"].removeprefix(key["prefix"]) not in everything

    async def test_what_a_key_does_is_written_as_the_keys(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        scopes = (Permission.ORGANIZATION_WRITE, Permission.AUDIT_READ)
        program = await api_key(app, one, one.owner, *scopes, name="Robot")
        answer = await program.client.patch(one.path, json={"name": "By a robot"})
        assert await wrote(owner_connection, answer) == ["organization.updated"]
        events = await program.client.get(f"{one.path}/audit-events")
        (event,) = events.json()["items"]
        assert event["actor"] == {
            "type": "api_key",
            "id": str(program.row.id),
            "label": "Robot",
        }
        assert program.text not in await books(owner_connection, one)

    async def test_it_goes_with_its_creator_and_that_is_written(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        one = await tenant(app)
        other = await member(app, one, Role.ADMIN)
        await api_key(app, one, other, Permission.ORGANIZATION_READ)
        path = f"{one.path}/members/{other.user.id}"
        answer = await one.owner.client.delete(path)
        both = ["api_key.revoked", "member.left"]
        assert await wrote(owner_connection, answer, 204) == both
