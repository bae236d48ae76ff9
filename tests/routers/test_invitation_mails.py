"""Mails that invite: who gets one, and who gets none any more."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Response
from pydantic import SecretStr

from app.config import Settings
from app.db.connections import Connection
from app.mail.messages import InvitationMail
from app.models.base import utc_now
from app.policy import Role
from app.queue import Queue
from app.queue.mails import SendMail
from app.security.limits import INVITATIONS, MAILS, Policy
from tests.conftest import running
from tests.factories.invitations import Invited, an_hour_ago, invitation
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import account, new_email
from tests.mailbox import Post

ACCEPT = "/api/v1/invitations/accept"


async def invite(by: Tenant, email: str, **given: Any) -> Response:
    body = {"email": email, "role": "member", **given}
    return await by.owner.client.post(f"{by.path}/invitations", json=body)


async def resend(by: Tenant, answer: Response) -> Response:
    path = f"{by.path}/invitations/{answer.json()['id']}"
    return await by.owner.client.post(f"{path}/resend")


async def put(mails: Post, of: Tenant, invited: Invited, **given: Any) -> None:
    """Put the mail of a stored invitation into the queue."""
    mail = InvitationMail(
        **{
            "to": invited.row.email,
            "organization_id": of.id,
            "invitation_id": invited.row.id,
            "token_id": invited.row.token_id,
            "organization": "Acme",
            "role": Role.MEMBER,
            "inviter": None,
            "invited_by": None,
            **given,
        }
    )
    async with mails.app.state.resources.sessions.begin() as session:
        await Queue(session).put(SendMail(mail=mail))


class TestCreateInvitation:
    async def test_mails_a_link_that_makes_a_member(self, mails: Post) -> None:
        acme = await tenant(mails.app, name="Acme www.evil.example")
        bob = await account(mails.app, email_verified_at=utc_now())
        assert (await invite(acme, bob.user.email)).status_code == 201
        (mail,) = await mails.to(bob.user.email)
        assert mail.kind is InvitationMail
        words = " ".join(mail.text.split())  # wherever its lines end
        assert acme.owner.user.full_name in words
        assert "www. evil. example" in words
        answer = await bob.client.post(ACCEPT, json={"token": mail.token})
        assert answer.status_code == 200, answer.text

    async def test_that_is_refused_mails_nothing(self, mails: Post) -> None:
        acme, email = await tenant(mails.app), new_email()
        bob = await member(mails.app, acme)
        assert (await invite(acme, bob.user.email)).status_code == 409
        assert (await invite(acme, email, role="king")).status_code == 422
        assert await mails.to(bob.user.email) == []
        assert await mails.to(email) == []


class TestResendInvitation:
    async def test_mails_a_link_of_which_only_the_last_is_good(
        self, mails: Post
    ) -> None:
        acme = await tenant(mails.app)
        bob = await account(mails.app, email_verified_at=utc_now())
        made = await invite(acme, bob.user.email)
        (first,) = await mails.to(bob.user.email)
        assert (await resend(acme, made)).status_code == 202
        (_, second) = await mails.to(bob.user.email)
        assert second.kind is InvitationMail
        for mail, status in ((first, 404), (second, 200), (second, 409)):
            answer = await bob.client.post(ACCEPT, json={"token": mail.token})
            assert answer.status_code == status


class TestMailThatWaited:
    async def test_goes_out_if_its_link_is_good(self, mails: Post) -> None:
        acme = await tenant(mails.app)
        invited = await invitation(mails.app, acme)
        await put(mails, acme, invited)
        assert await mails.token(invited.row.email) == invited.token

    @pytest.mark.parametrize(
        "change",
        ["revoked", "accepted", "declined", "expired", "resent", "other", "deleted"],
    )
    async def test_does_not_if_it_is_not(self, mails: Post, change: str) -> None:
        acme, given = await tenant(mails.app), {}
        if change == "deleted":
            acme = await tenant(mails.app, deleted_at=utc_now())
        if change in {"revoked", "accepted", "declined"}:
            given = {"status": change}
        if change == "expired":
            given = an_hour_ago()
        invited = await invitation(mails.app, acme, **given)
        in_mail = {
            "resent": {"token_id": uuid4()},
            "other": {"organization_id": (await tenant(mails.app)).id},
        }
        await put(mails, acme, invited, **in_mail.get(change, {}))
        assert await mails.to(invited.row.email) == []


class TestErasure:
    async def test_takes_mails_away_that_were_refused(
        self, mails: Post, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        superuser = await account(mails.app, is_superuser=True)
        acme = await tenant(mails.app)
        bob = await account(mails.app, email_verified_at=utc_now())
        from_bob = await tenant(mails.app, owner=bob)
        with monkeypatch.context() as refusing:
            refusing.setattr(mails.server, "to_recipients", "550 no such box")
            to_bob = await invite(acme, bob.user.email)
            by_bob = await invite(from_bob, new_email())
            await mails.settled()
        held = [to_bob.json()["id"], by_bob.json()["id"]]
        assert await self.held(mails) >= set(held)
        path = f"/api/v1/users/{bob.user.id}"
        refused = await superuser.client.delete(path)
        assert refused.json()["code"] == "last_owner"
        assert await self.held(mails) >= set(held)
        gone = await bob.client.delete(from_bob.path, params={"slug": from_bob.slug})
        assert gone.status_code == 202
        assert (await superuser.client.delete(path)).status_code == 204
        assert not await self.held(mails) & set(held)

    @staticmethod
    async def held(mails: Post) -> set[str]:
        rows = await mails.owner.fetch(
            "SELECT convert_from(payload, 'UTF8') FROM jobs.queue"
            " WHERE status = 'failed' AND entrypoint = 'mail.send'"
        )
        mailed = [json.loads(row[0])["mail"] for row in rows]
        return {mail.get("invitation_id", "") for mail in mailed}


class TestLimits:
    async def test_an_address_gets_few_whoever_sends_them(
        self, settings: Settings
    ) -> None:
        async with counting(settings) as app:
            email, answers = new_email(), []
            acme = await tenant(app)
            made = await invite(acme, email)
            answers = [made, await resend(acme, made)]
            for _ in range(MAILS.quota - 1):
                answers.append(await invite(await tenant(app), email))
            limited = [a for a in answers if a.status_code == 429]
            assert limited == answers[-1:]
            assert limited[0].json()["code"] == "rate_limited"
            assert int(limited[0].headers["retry-after"]) > 0
            assert (await resend(acme, made)).status_code == 429
            assert (await invite(acme, new_email())).status_code == 201
            bob = await account(app, email=email)
            own = (await bob.client.get("/api/v1/invitations")).json()
            assert own["total"] == MAILS.quota - 1

    async def test_nobody_writes_to_many_through_whichever_organization(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert INVITATIONS.quota == 200
        few = Policy("invitations", quota=3, window=3600)
        monkeypatch.setattr("app.services.invitations.INVITATIONS", few)
        async with counting(settings) as app:
            acme = await tenant(app)
            other = await tenant(app, owner=acme.owner)
            answers = [
                await invite(within, new_email())
                for within in (acme, other, acme, other)
            ]
            assert [a.status_code for a in answers] == [201, 201, 201, 429]
            assert (await invite(await tenant(app), new_email())).status_code == 201

    async def test_who_sends_too_many_is_told_so_whatever_is_locked(
        self,
        settings: Settings,
        monkeypatch: pytest.MonkeyPatch,
        owner_connection: Connection,
    ) -> None:
        few = Policy("invitations", quota=1, window=3600)
        monkeypatch.setattr("app.services.invitations.INVITATIONS", few)
        async with counting(settings) as app, asyncio.timeout(10):
            acme = await tenant(app)
            made = await invite(acme, new_email())
            hold = "SELECT FROM organizations WHERE id = $1 FOR UPDATE"
            async with owner_connection.transaction():
                await owner_connection.execute(hold, acme.id)
                for answer in (
                    await invite(acme, new_email()),
                    await resend(acme, made),
                ):
                    assert answer.status_code == 429


def counting(settings: Settings) -> Any:
    """Run an application that counts, under names of its own."""
    secret = SecretStr(uuid4().hex)
    changes = {"RATE_LIMIT_ENABLED": True, "SECRET_KEY": secret}
    return running(settings.model_copy(update=changes))
