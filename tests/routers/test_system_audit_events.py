"""The audit trail of the whole system, as superusers see it."""

from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from app.db.repositories.audit_events import SystemAuditEventReader
from app.pagination import PageRequest
from tests.factories.audit_events import (
    account_changed,
    changed,
    labels,
    system_events,
)
from tests.factories.organizations import tenant
from tests.factories.users import account, signed_in, user

PATH = "/api/v1/admin/audit-events"


class TestGetSystemAuditEvents:
    async def test_tells_what_superusers_do_to_accounts(self, app: FastAPI) -> None:
        superuser = await account(app, is_superuser=True, full_name="Root")
        other = await account(app, full_name="Somebody")
        path = f"/api/v1/users/{other.user.id}"
        new = {"full_name": "Another Name", "is_superuser": True}
        patched = await superuser.client.patch(path, json=new)
        assert patched.status_code == 200
        await superuser.client.patch(path, json={"is_superuser": True})  # it is one
        (event,) = await system_events(superuser, target_id=str(other.user.id))
        assert event["action"] == "user.updated"
        assert event["actor"]["id"] == str(superuser.user.id)
        assert labels(event) == ["Root", None, "Another Name"]
        assert event["request_id"] == patched.headers["x-request-id"]
        assert event["changes"] == {
            "full_name": {"from": "***", "to": "***"},
            "is_superuser": {"from": False, "to": True},
        }
        assert (await superuser.client.delete(path)).status_code == 204
        deleted, _ = await system_events(superuser, target_id=str(other.user.id))
        assert deleted["action"] == "user.deleted"
        assert labels(deleted)[2] == "Erased user"
        changes = deleted["changes"]
        assert changes.pop("is_active") == {"from": True, "to": False}
        assert changes.pop("is_superuser") == {"from": True, "to": False}
        assert changes.pop("erased_at") == {"from": None, "to": "***"}
        for values in changes.values():
            assert set(values.values()) <= {"***", None}

    async def test_tells_of_accounts_that_are_made_for_others(
        self, app: FastAPI
    ) -> None:
        superuser = await account(app, is_superuser=True)
        email = f"{uuid4().hex}@example.com"
        new = {"email": email, "full_name": "Made", "password": f"long {email[:20]}"}
        made = await superuser.client.post("/api/v1/users", json=new)
        again = await superuser.client.post("/api/v1/users", json=new)
        assert (made.status_code, again.status_code) == (201, 409)
        (event,) = await system_events(superuser, target_id=made.json()["id"])
        assert (event["action"], labels(event)[2]) == ("user.created", "Made")
        assert event["changes"]["is_superuser"] == {"from": None, "to": False}
        assert email not in str(event)
        mine = {"actor_id": str(superuser.user.id), "action": "user.created"}
        assert await system_events(superuser, **mine) == [event]

    async def test_leaves_out_what_people_do_to_themselves(self, app: FastAPI) -> None:
        superuser = await account(app, is_superuser=True)
        own = f"/api/v1/users/{superuser.user.id}"
        await superuser.client.patch(own, json={"full_name": "Myself"})
        await superuser.client.patch("/api/v1/users/me", json={"full_name": "I"})
        one = await tenant(app, owner=superuser)
        await changed(one, "Not of the system")
        assert await system_events(superuser, actor_id=str(superuser.user.id)) == []

    async def test_tells_what_is_done_as_somebody_else(
        self, app: FastAPI, owner_connection: Any
    ) -> None:
        superuser = await account(app, is_superuser=True, full_name="Support")
        somebody = await account(app)
        await owner_connection.execute(
            "UPDATE user_sessions SET impersonator_id = $1 WHERE id = $2",
            superuser.user.id,
            somebody.session.id,
        )
        new = {"full_name": "Changed for them"}
        answer = await somebody.client.patch("/api/v1/users/me", json=new)
        assert answer.status_code == 200
        (event,) = await system_events(superuser, target_id=str(somebody.user.id))
        assert event["actor"]["id"] == str(somebody.user.id)
        assert event["impersonator"]["label"] == "Support"

    async def test_is_for_superusers(self, app: FastAPI) -> None:
        superuser = await account(app, is_superuser=True)
        somebody = await account(app)
        await account_changed(superuser, somebody)
        fresh = await signed_in(app, somebody.user)
        assert (await fresh.client.get(PATH)).status_code == 403
        assert len(await system_events(superuser, target_id=str(somebody.user.id))) == 2

    async def test_the_database_shows_it_to_nobody_else(self, app: FastAPI) -> None:
        # Past the checks of the application, row-level security asks once more.
        row = user(is_superuser=False)
        async with app.state.resources.sessions.begin() as session:
            session.add(row)
        superuser = await account(app, is_superuser=True)
        await account_changed(superuser, await account(app))
        reader, found = app.state.resources.reader, []
        for id_ in (row.id, superuser.user.id):
            page = await SystemAuditEventReader(reader, id_).page(PageRequest())
            found.append(bool(page.items))
        assert found == [False, True]
