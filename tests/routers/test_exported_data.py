"""What an export tells of a person, and what it does not."""

import pytest
from fastapi import FastAPI

from app.mail.messages import DataExportReady
from app.models.email_tokens import Purpose
from app.policy import Permission, Role
from tests.factories.api_keys import api_key
from tests.factories.data_exports import (
    EXPORT,
    fetched,
    made,
    pending,
)
from tests.factories.email_tokens import email_token
from tests.factories.invitations import an_hour_ago, invitation
from tests.factories.organizations import ROOT, join, member, tenant
from tests.factories.pictures import PROFILE, picture, upload
from tests.factories.support import acting_as
from tests.factories.users import PASSWORD, account, account_with_password
from tests.mailbox import PUBLIC_URL, Post


class TestDocument:
    async def test_tells_all_of_the_person(self, app: FastAPI) -> None:
        ada = await account_with_password(app)
        await acting_as(app, ada)
        await upload(ada, picture())
        assert (await ada.client.patch(PROFILE, json={"locale": "pt"})).is_success
        await email_token(app, ada.user, Purpose.VERIFY_EMAIL)
        answer = await made(app, ada)
        account_ = answer["account"]
        assert (account_["email"], account_["id"]) == (ada.user.email, str(ada.user.id))
        assert account_["email_verified_at"] is None
        profile = {"locale": "pt", "time_zone": "UTC", "has_avatar": True}
        assert answer["profile"] == profile
        sessions = {one["by_superuser"]: one for one in answer["sessions"]}
        assert sessions[False]["id"] == str(ada.session.id)
        assert (sessions[False]["ip"], sessions[True]["ip"]) == ("127.0.0.1", None)
        (link,) = answer["mailed_links"]
        assert (link["purpose"], link["email"]) == ("verify_email", ada.user.email)
        for hidden in ("argon2", "hash", "token_id"):
            assert hidden not in str(answer)

    async def test_tells_of_each_organization(self, app: FastAPI) -> None:
        ada = await account(app)
        founded = (await ada.client.post(ROOT, json={"name": "Engines"})).json()
        acme, other = await tenant(app, name="Acme"), await tenant(app)
        await join(app, acme, ada.user, Role.ADMIN)
        key = await api_key(app, acme, ada, Permission.MEMBERS_READ)
        await api_key(app, acme, acme.owner)
        sent = await invitation(app, other, ada.user.email)
        await invitation(app, await tenant(app), ada.user.email, **an_hour_ago())
        await invitation(app, acme)
        answer = await made(app, ada)
        roles = {one["name"]: one["role"] for one in answer["organizations"]}
        assert roles == {"Engines": "owner", "Acme": "admin"}
        offered, over = answer["invitations"]
        assert offered["id"] == str(sent.row.id)
        assert offered["organization_id"] == str(other.id)
        assert (offered["status"], over["status"]) == ("pending", "expired")
        (listed,) = answer["api_keys"]
        assert (listed["id"], listed["scopes"]) == (str(key.row.id), ["members:read"])
        actions = {(e["organization_id"], e["action"]) for e in answer["audit_events"]}
        of_founding = ("organization.created", "member.joined")
        assert actions == {(founded["id"], action) for action in of_founding}
        for hidden in ("hash", "token_id", acme.owner.user.email):
            assert hidden not in str(answer)

    async def test_tells_devices_and_when_the_address_was_verified(
        self, mails: Post
    ) -> None:
        ada = await account_with_password(mails.app)
        form = {
            "grant_type": "password",
            "username": ada.user.email,
            "password": PASSWORD,
        }
        assert (await mails.client.post("/api/v1/auth/token", data=form)).is_success
        token = await email_token(mails.app, ada.user, Purpose.VERIFY_EMAIL)
        body = {"token": token}
        assert (
            await mails.client.post("/api/v1/auth/verify-email", json=body)
        ).is_success
        pending(await ada.client.get(EXPORT))
        mail = (await mails.to(ada.user.email))[-1]
        assert (mail.kind, mail.links) == (
            DataExportReady,
            [f"{PUBLIC_URL}/settings/export"],
        )
        answer = fetched(await ada.client.get(EXPORT))
        assert len(answer["devices"]) == 1
        assert answer["mailed_links"] == []
        assert answer["account"]["email_verified_at"] is not None

    async def test_hides_the_address_of_who_else_has_acted(self, app: FastAPI) -> None:
        acme = await tenant(app)
        bob = await member(app, acme, Role.MEMBER)
        url = f"{acme.path}/members/{bob.user.id}"
        promoted = await acme.owner.client.patch(url, json={"role": "admin"})
        assert promoted.status_code == 200
        carol = await member(app, acme)
        url = f"{acme.path}/members/{carol.user.id}"
        assert (await bob.client.patch(url, json={"role": "viewer"})).is_success
        suffered, did = (await made(app, bob))["audit_events"]
        assert suffered["actor"]["id"] == str(acme.owner.user.id)
        assert suffered["target"]["id"] == did["actor"]["id"] == str(bob.user.id)
        assert suffered["changes"] == {"role": {"from": "member", "to": "admin"}}
        assert (suffered["ip"], did["ip"]) == (None, "127.0.0.1")
        # What concerns neither of them is another one's.
        assert (await made(app, await member(app, acme)))["audit_events"] == []

    async def test_has_each_event_once_however_many_there_are(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.db.repositories.personal_data.BATCH", 3)
        monkeypatch.setattr("app.services.data_exports.PIECE", 7)  # bytes
        acme, other = await tenant(app), await tenant(app)
        bob = await member(app, acme, Role.ADMIN)
        await join(app, other, bob.user, Role.OWNER)
        for n in range(4):
            for who in (acme.owner, bob):
                body = {"name": f"{who.user.id} {n}"}
                assert (await who.client.patch(acme.path, json=body)).is_success
            role = "member" if n % 2 else "viewer"
            url = f"{other.path}/members/{bob.user.id}"
            body = {"role": role}
            assert (await other.owner.client.patch(url, json=body)).is_success
        events = (await made(app, bob))["audit_events"]
        assert len({one["id"] for one in events}) == len(events) == 8
        in_order = [(one["organization_id"], one["created_at"]) for one in events]
        by_organization = [
            [e for e in in_order if e[0] == str(t.id)] for t in (acme, other)
        ]
        assert in_order == [e for part in by_organization for e in sorted(part)]

    async def test_ends_where_the_membership_has_ended(self, app: FastAPI) -> None:
        acme = await tenant(app)
        bob = await member(app, acme, Role.ADMIN)
        assert (await bob.client.patch(acme.path, json={"name": "Bob's"})).is_success
        url = f"{acme.path}/members/{bob.user.id}"
        assert (await acme.owner.client.delete(url)).is_success
        answer = await made(app, bob)
        assert (answer["organizations"], answer["audit_events"]) == ([], [])
