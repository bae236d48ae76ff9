"""The audit trail, as those see it who may."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from app.db.repositories.organizations import OrganizationRepository
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import Author, Context, bind
from app.events.organizations import INVITATION_CREATED
from app.models.base import new_id
from app.models.changes import AuditEvent
from app.models.invitations import Invitation, InvitationStatus
from app.policy import Permission, Role
from tests.factories.audit_events import (
    changed,
    events_of,
    labels,
)
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import account


class _Invitations(ScopedRepository[Invitation]):
    model, noun, added = Invitation, "invitation", INVITATION_CREATED


async def invited(app: FastAPI, of: Tenant, email: str) -> Invitation:
    """Store an invitation as a repository does, on nobody's behalf."""
    row = Invitation(
        organization_id=of.id,
        email=email,
        role=Role.MEMBER,
        status=InvitationStatus.PENDING,
        token_id=new_id(),
        token_hash=new_id().bytes,
        expires_at=datetime.now(UTC) + timedelta(days=7),
    )
    async with app.state.resources.sessions() as session:
        bind(session, Context(of.id))
        await _Invitations(session, of.id).add(row)
        await session.commit()
    return row


async def renamed_by(app: FastAPI, of: Tenant, author: Author, name: str) -> None:
    async with app.state.resources.sessions() as session:
        bind(session, Context(of.id, author=author))
        organizations = OrganizationRepository(session, of.id)
        await organizations.update(await organizations.hold(), {"name": name})
        await session.commit()


class TestGetAuditEvents:
    async def test_tells_who_changed_what_and_from_where(self, app: FastAPI) -> None:
        one = await tenant(app, name="Before")
        before = datetime.now(UTC)
        answer = await one.owner.client.patch(one.path, json={"name": "After"})
        (event,) = await events_of(one)
        seen = datetime.fromisoformat(event.pop("created_at"))
        assert before <= seen <= datetime.now(UTC)
        assert event.pop("id")
        owner = {"type": "user", "id": str(one.owner.user.id)}
        assert event == {
            "action": "organization.updated",
            "actor": {**owner, "label": one.owner.user.full_name},
            "impersonator": None,
            "target": {"type": "organization", "id": str(one.id), "label": "After"},
            "changes": {"name": {"from": "Before", "to": "After"}},
            "request_id": answer.headers["x-request-id"],
            "ip": "127.0.0.1",
        }

    async def test_comes_newest_first_in_pages(self, app: FastAPI) -> None:
        one = await tenant(app)
        names = [f"Name {number}" for number in range(5)]
        await changed(one, *names)
        client, path = one.owner.client, f"{one.path}/audit-events"
        first = (await client.get(path, params={"size": 3})).json()
        following = {"size": 3, "cursor": first["next_cursor"]}
        second = (await client.get(path, params=following)).json()
        found = [e["changes"]["name"]["to"] for e in first["items"] + second["items"]]
        assert found == names[::-1]
        assert (first["total"], second["next_cursor"]) == (5, None)
        oldest = await events_of(one, sort="created_at", size=1)
        assert oldest[0]["changes"]["name"]["to"] == names[0]

    async def test_is_filtered(self, app: FastAPI) -> None:
        one = await tenant(app)
        other = await member(app, one)
        path = f"{one.path}/members/{other.user.id}"
        await one.owner.client.patch(path, json={"role": "admin"})
        await other.client.patch(one.path, json={"name": "By an admin"})
        update, promotion = await events_of(one)

        async def found(**query: str) -> list[str]:
            return [event["action"] for event in await events_of(one, **query)]

        both = ["organization.updated", "member.updated"]
        assert await found(actor_id=str(other.user.id)) == both[:1]
        assert await found(actor_id=str(one.owner.user.id)) == both[1:]
        assert await found(action="member.updated") == both[1:]
        assert await found(target_type="organization") == both[:1]
        assert await found(target_id=str(other.user.id)) == both[1:]
        assert await found(target_id=str(other.user.id), target_type="invitation") == []
        # From a time on, and up to one, which is not in it itself.
        assert await found(created_after=update["created_at"]) == both[:1]
        assert await found(created_after=promotion["created_at"]) == both
        assert await found(created_before=update["created_at"]) == both[1:]
        assert await found(created_before=promotion["created_at"]) == []
        assert await found(action="no.such", actor_id=str(uuid4())) == []

    async def test_refuses_other_filters(self, app: FastAPI) -> None:
        one = await tenant(app)
        for query in (
            *("action=", "action=%25", "action=A.B", f"action={'a' * 61}"),
            *("actor_id=me", "target_type=a.b", "target_id=%00", "ip=::1"),
            *("created_after=yesterday", "created_before=2026-01-01"),
            *("sort=action", "action=a&action=b"),
        ):
            for path in ("", "/export"):
                url = f"{one.path}/audit-events{path}?{query}"
                answer = await one.owner.client.get(url)
                assert answer.status_code == 422, url

    async def test_looks_names_up_as_they_are_now(self, app: FastAPI) -> None:
        one = await tenant(app)
        other = await member(app, one, full_name="Maiden Name")
        path = f"{one.path}/members/{other.user.id}"
        await one.owner.client.patch(path, json={"role": "admin"})
        await other.client.patch(one.path, json={"name": "Named"})
        own = "/api/v1/users/me"
        await other.client.patch(own, json={"full_name": "Married Name"})
        done, suffered = await events_of(one)
        assert labels(done) == ["Married Name", None, "Named"]
        assert labels(suffered)[2] == "Married Name"
        superuser = await account(app, is_superuser=True)
        erased = await superuser.client.delete(f"/api/v1/users/{other.user.id}")
        assert erased.status_code == 204, erased.text
        left, done, suffered = await events_of(one)
        assert left["action"] == "member.left"
        assert labels(left) == [superuser.user.full_name, None, "Erased user"]
        assert labels(done)[0] == labels(suffered)[2] == "Erased user"

    async def test_names_keys_impersonators_and_jobs(self, app: FastAPI) -> None:
        one = await tenant(app, name="Root")
        support = await account(app, is_superuser=True, full_name="Support")
        key, owner = uuid4(), one.owner.user
        by = [
            Author("api_key", key, label="=CI()", ip="::1"),
            Author("user", owner.id, impersonator_id=support.user.id),
            Author(),
        ]
        for number, author in enumerate(by):
            await renamed_by(app, one, author, f"Name {number}")
        system, user_, program = await events_of(one)
        assert program["actor"] == {"type": "api_key", "id": str(key), "label": "=CI()"}
        assert program["ip"] == "::1"
        assert labels(user_) == [owner.full_name, "Support", "Name 1"]
        assert user_["impersonator"]["id"] == str(support.user.id)
        assert system["actor"] == {"type": "system", "id": None, "label": None}
        assert system["request_id"] is None

    async def test_has_an_invitations_address_while_there_is_one(
        self, app: FastAPI, owner_connection: Any
    ) -> None:
        one, other = await tenant(app), await tenant(app)
        email = f"{uuid4().hex}@example.com"
        row = await invited(app, one, email)
        (event,) = await events_of(one)
        assert event["target"] == {
            "type": "invitation",
            "id": str(row.id),
            "label": email,
        }
        hidden = {"from": None, "to": "***"}
        for name in ("email", "token_id", "token_hash"):
            assert event["changes"][name] == hidden
        assert email not in str(event["changes"])
        # Of another organization's invitation nothing is told, whatever a row says.
        stray = AuditEvent(
            organization_id=other.id,
            action="invitation.created",
            actor_type="system",
            target_type="invitation",
            target_id=row.id,
            changes={},
        )
        async with app.state.resources.sessions() as session:
            bind(session, Context(other.id))
            session.add(stray)
            await session.commit()
        assert labels((await events_of(other))[0]) == [None, None, None]
        await owner_connection.execute("DELETE FROM invitations WHERE id = $1", row.id)
        (event,) = await events_of(one)
        assert event["target"]["label"] is None

    async def test_is_for_admins_and_owners(self, app: FastAPI) -> None:
        one, other = await tenant(app), await tenant(app)
        await changed(one, "Named")
        for role in Role:
            reader = await member(app, one, role)
            may = Permission.AUDIT_READ in role.permissions
            for path in ("", "/export"):
                answer = await reader.client.get(f"{one.path}/audit-events{path}")
                assert answer.status_code == (200 if may else 403), (role, path)
        assert {Role.ADMIN, Role.OWNER} == {
            role for role in Role if Permission.AUDIT_READ in role.permissions
        }
        missing = f"/api/v1/organizations/{uuid4()}/audit-events"
        for path in ("", "/export"):
            for url in (f"{one.path}/audit-events{path}", f"{missing}{path}"):
                answer = await other.owner.client.get(url)
                assert answer.status_code == 404
                assert answer.json()["detail"] == "No organization has this id."

    async def test_shows_nothing_of_others(self, app: FastAPI) -> None:
        one, other = await tenant(app), await tenant(app)
        await changed(one, "One")
        await changed(other, "Two", "Three")
        assert [labels(event)[2] for event in await events_of(one)] == ["One"]
        page = await other.owner.client.get(f"{other.path}/audit-events?size=1")
        query = {"size": 1, "cursor": page.json()["next_cursor"]}
        foreign = await one.owner.client.get(f"{one.path}/audit-events", params=query)
        assert foreign.status_code == 422
        theirs = str(other.owner.user.id)
        assert await events_of(one, actor_id=theirs) == []
        assert await events_of(one, target_id=str(other.id)) == []
