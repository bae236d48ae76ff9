"""Verifying the address that one has, from outside."""

from httpx2 import AsyncClient

from app.mail.messages import VerifyEmail, Welcome
from tests.conftest import client_of, running
from tests.contract.answers import complaints
from tests.factories.users import PASSWORD, account, account_with_password
from tests.links import RESEND, TOKEN, accepted, followed, me, to_verify, verify
from tests.mailbox import Post
from tests.routers.test_auth import grant, signed_up


async def is_verified(client: AsyncClient, email: str) -> bool:
    answer = await client.post(TOKEN, data=grant(email))
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    answer = await client.get("/api/v1/users/me", headers=headers)
    verified: bool = answer.json()["email_verified"]
    return verified


class TestVerifyEmail:
    async def test_the_link_of_the_welcome_verifies_the_address(
        self, mails: Post
    ) -> None:
        new = await signed_up(mails.client, full_name="Ada Lovelace")
        (welcome,) = await mails.to(new["email"])
        assert welcome.kind is Welcome
        assert welcome.text.startswith("Hello Ada Lovelace,")
        assert not await is_verified(mails.client, new["email"])
        followed(await verify(mails, welcome.token))
        assert await is_verified(mails.client, new["email"])
        assert await mails.kinds_to(new["email"]) == [Welcome]

    async def test_who_could_not_sign_up_gets_no_mail(self, mails: Post) -> None:
        new = await signed_up(mails.client)
        answer = await mails.client.post("/api/v1/auth/register", json=new)
        assert answer.status_code == 409
        assert await mails.kinds_to(new["email"]) == [Welcome]

    async def test_is_no_sign_in(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        answer = await verify(mails, await to_verify(mails, ada))
        followed(answer)
        assert "set-cookie" not in answer.headers
        sessions = "SELECT count(*) FROM user_sessions WHERE user_id = $1"
        assert await mails.owner.fetchval(sessions, ada.user.id) == 1


class TestResend:
    async def test_mails_a_link_that_verifies(self, mails: Post) -> None:
        ada = await account(mails.app)
        accepted(await ada.client.post(RESEND))
        (mail,) = await mails.to(ada.user.email)
        assert mail.kind is VerifyEmail
        followed(await verify(mails, mail.token))
        assert (await me(ada))["email_verified"]

    async def test_sends_nothing_to_who_is_verified(self, mails: Post) -> None:
        ada = await account(mails.app)
        followed(await verify(mails, await to_verify(mails, ada)))
        accepted(await ada.client.post(RESEND))
        assert await mails.kinds_to(ada.user.email) == [VerifyEmail]

    async def test_is_for_who_is_signed_in(self, mails: Post) -> None:
        assert complaints(await mails.client.post(RESEND), status=401) == []

    async def test_five_an_hour_are_mailed_to_one_address(self, mails: Post) -> None:
        ada, bob = await account(mails.app), await account(mails.app)
        limits = mails.settings.model_copy(update={"RATE_LIMIT_ENABLED": True})
        async with running(limits) as app, client_of(app) as client:
            client.headers["Authorization"] = f"Bearer {ada.token}"
            for sent in range(1, 6):
                accepted(await client.post(RESEND))
                assert len(await mails.to(ada.user.email)) == sent
            answer = await client.post(RESEND)
            assert complaints(answer, status=429) == []
            assert 60 < int(answer.headers["retry-after"]) <= 3600
            client.headers["Authorization"] = f"Bearer {bob.token}"
            accepted(await client.post(RESEND))
        assert len(await mails.to(ada.user.email)) == 5
        assert len(await mails.to(bob.user.email)) == 1


class TestLinks:
    async def test_no_header_of_a_request_changes_where_they_lead(
        self, mails: Post
    ) -> None:
        ada = await account_with_password(mails.app)
        spoofed = {
            "Host": "another.example",
            "X-Forwarded-Host": "another.example",
            "X-Forwarded-Proto": "http",
            "X-Forwarded-Prefix": "/another",
            "Forwarded": "host=another.example;proto=http",
            "Origin": "https://another.example",
            "Referer": "https://another.example/",
        }
        accepted(await ada.client.post(RESEND, headers=spoofed))
        email, new = ada.user.email, f"new-{ada.user.email}"
        body = {"email": email}
        path = "/api/v1/auth/forgot-password"
        accepted(await mails.client.post(path, json=body, headers=spoofed))
        wish = {"new_email": new, "password": PASSWORD}
        path = "/api/v1/auth/change-email"
        accepted(await ada.client.post(path, json=wish, headers=spoofed))
        found = [*await mails.to(email), *await mails.to(new)]
        # Each `link` is one below PUBLIC_URL, the same in both parts.
        assert len([mail.link for mail in found if mail.links]) == 3
        assert not any("another.example" in mail.text + mail.html for mail in found)
