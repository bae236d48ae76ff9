"""Getting an account back, from outside."""

import asyncio

import pytest
from httpx2 import AsyncClient

from app.mail.messages import PasswordChanged, ResetPassword
from tests.conftest import client_of, running
from tests.contract.answers import complaints
from tests.factories.users import PASSWORD, account, account_with_password, new_email
from tests.faults.races import Tokens, bearer, refresh
from tests.links import (
    CHANGE_EMAIL,
    CHANGE_PASSWORD,
    FORGOT,
    ME,
    NEW_PASSWORD,
    RESET,
    TOKEN,
    USERS,
    accepted,
    followed,
    me,
    reset,
    to_change,
    to_reset,
    to_verify,
    verify,
)
from tests.mailbox import Post
from tests.routers.test_auth import grant, signed_up


async def sign_in(client: AsyncClient, email: str, password: str = PASSWORD) -> Tokens:
    return Tokens.of(await client.post(TOKEN, data=grant(email, password)))


async def assert_dead(client: AsyncClient, tokens: Tokens) -> None:
    assert (await client.get(ME, headers=bearer(tokens.access))).status_code == 401
    answer = await refresh(client, tokens.refresh)
    assert answer.json()["code"] == "invalid_grant"


async def assert_no_password(client: AsyncClient, email: str, password: str) -> None:
    answer = await client.post(TOKEN, data=grant(email, password))
    assert answer.json()["code"] == "invalid_grant"


class TestForgotPassword:
    @pytest.mark.parametrize("spelled", [str, str.upper], ids=["typed", "upper"])
    async def test_mails_a_link_to_who_has_an_account(
        self, mails: Post, spelled: type[str]
    ) -> None:
        ada = await account(mails.app)
        body = {"email": spelled(ada.user.email)}
        accepted(await mails.client.post(FORGOT, json=body))
        (mail,) = await mails.to(ada.user.email)
        assert mail.kind is ResetPassword
        followed(await reset(mails, mail.token))

    async def test_nobody_else_gets_a_mail(self, mails: Post) -> None:
        unknown = new_email()
        disabled = await account(mails.app, is_active=False)
        erased = await account(mails.app)
        superuser = await account(mails.app, is_superuser=True)
        followed(await superuser.client.delete(f"{USERS}/{erased.user.id}"))
        before = len(await mails.all())
        for email in (unknown, disabled.user.email, erased.user.email):
            accepted(await mails.client.post(FORGOT, json={"email": email}))
        assert len(await mails.all()) == before

    async def test_its_answer_does_not_tell_who_has_an_account(
        self, mails: Post
    ) -> None:
        verified = await account(mails.app)
        followed(await verify(mails, await to_verify(mails, verified)))
        others = [await account(mails.app), await account(mails.app, is_active=False)]
        emails = [new_email(), *(one.user.email for one in (verified, *others))]
        answers = []
        for email in emails:
            answer = await mails.client.post(FORGOT, json={"email": email})
            accepted(answer)
            headers = dict(answer.headers)
            assert headers.pop("x-request-id")
            answers.append(headers)
        assert answers == [answers[0]] * 4

    async def test_above_five_an_hour_nothing_is_mailed_nor_told(
        self, mails: Post
    ) -> None:
        ada = await account(mails.app)
        limits = mails.settings.model_copy(update={"RATE_LIMIT_ENABLED": True})
        async with running(limits) as app, client_of(app) as client:
            body, told = {"email": ada.user.email}, []
            for _ in range(7):
                answer = await client.post(FORGOT, json=body)
                accepted(answer)
                told.append(set(answer.headers))
                await mails.settled()
        assert len(await mails.to(ada.user.email)) == 5
        assert told == [told[0]] * 7
        followed(await reset(mails, await mails.token(ada.user.email)))


class TestResetPassword:
    async def test_sets_the_password_and_ends_every_session(self, mails: Post) -> None:
        new = await signed_up(mails.client)
        sessions = [await sign_in(mails.client, new["email"]) for _ in range(2)]
        accepted(await mails.client.post(FORGOT, json={"email": new["email"]}))
        followed(await reset(mails, await mails.token(new["email"])))
        for tokens in sessions:
            await assert_dead(mails.client, tokens)
        await assert_no_password(mails.client, new["email"], PASSWORD)
        tokens = await sign_in(mails.client, new["email"], NEW_PASSWORD)
        own = await mails.client.get(ME, headers=bearer(tokens.access))
        assert own.json()["email_verified"] is True
        *_, notice = await mails.to(new["email"])
        assert notice.kind is PasswordChanged
        assert "link" in notice.text

    async def test_a_weak_password_leaves_the_token_good(self, mails: Post) -> None:
        ada = await account_with_password(mails.app, full_name="Ada Lovelace")
        token = await to_reset(mails, ada)
        for weak in ("short", "iloveyou123", "Lovelace2024", "x" * 129):
            answer = await mails.client.post(
                RESET, json={"token": token, "password": weak}
            )
            assert complaints(answer, status=422) == []
            assert answer.json()["errors"][0]["pointer"] == "/body/password"
        assert (await me(ada))["email"] == ada.user.email
        followed(await reset(mails, token))

    async def test_what_is_weak_is_not_judged_for_a_bad_token(
        self, mails: Post
    ) -> None:
        answer = await reset(mails, "x" * 43, "iloveyou123")
        assert answer.json()["code"] == "invalid_token"

    async def test_voids_all_other_links(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        links = [await to_verify(mails, ada), await to_change(mails, ada)]
        followed(await reset(mails, await to_reset(mails, ada)))
        for token in links:
            assert (await verify(mails, token)).json()["code"] == "invalid_token"
        tokens = await sign_in(mails.client, ada.user.email, NEW_PASSWORD)
        own = await mails.client.get(ME, headers=bearer(tokens.access))
        assert own.json()["email"] == ada.user.email

    async def test_leaves_nothing_to_who_had_signed_up_with_the_address_before(
        self, mails: Post
    ) -> None:
        victim, attackers = new_email(), new_email()
        await signed_up(mails.client, email=victim)
        stolen = [await sign_in(mails.client, victim) for _ in range(2)]
        wish = {"new_email": attackers, "password": PASSWORD}
        headers = bearer(stolen[0].access)
        accepted(await mails.client.post(CHANGE_EMAIL, json=wish, headers=headers))
        pending = await mails.token(attackers)
        accepted(await mails.client.post(FORGOT, json={"email": victim}))
        followed(await reset(mails, await mails.token(victim)))
        for tokens in stolen:
            await assert_dead(mails.client, tokens)
        await assert_no_password(mails.client, victim, PASSWORD)
        assert (await verify(mails, pending)).json()["code"] == "invalid_token"
        own = await sign_in(mails.client, victim, NEW_PASSWORD)
        shown = (await mails.client.get(ME, headers=bearer(own.access))).json()
        assert (shown["email"], shown["email_verified"]) == (victim, True)
        count = "SELECT count(*) FROM email_tokens WHERE email = ANY($1)"
        assert await mails.owner.fetchval(count, [victim, attackers]) == 0

    async def test_of_it_and_a_change_of_the_address_at_once_one_happens(
        self, mails: Post
    ) -> None:
        for _ in range(3):
            ada, others = await account_with_password(mails.app), new_email()
            change = await to_change(mails, ada, others)
            lost = await to_reset(mails, ada)
            answers = await asyncio.gather(reset(mails, lost), verify(mails, change))
            codes = [answer.status_code for answer in answers]
            assert codes in ([204, 400], [400, 204])
            was_reset = codes[0] == 204
            email = ada.user.email if was_reset else others
            password = NEW_PASSWORD if was_reset else PASSWORD
            await sign_in(mails.client, email, password)


class TestChangePassword:
    async def test_voids_what_was_asked_for_with_the_old_one_and_tells(
        self, mails: Post
    ) -> None:
        ada = await account_with_password(mails.app)
        to_keep = await to_verify(mails, ada)
        void = [await to_change(mails, ada), await to_reset(mails, ada)]
        body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
        followed(await ada.client.post(CHANGE_PASSWORD, json=body))
        assert (await verify(mails, void[0])).json()["code"] == "invalid_token"
        assert (await reset(mails, void[1])).json()["code"] == "invalid_token"
        assert (await mails.kinds_to(ada.user.email))[-1] is PasswordChanged
        followed(await verify(mails, to_keep))

    async def test_a_failed_one_tells_nobody_and_voids_nothing(
        self, mails: Post
    ) -> None:
        ada = await account_with_password(mails.app)
        token = await to_reset(mails, ada)
        body = {"current_password": "not hers", "new_password": NEW_PASSWORD}
        answer = await ada.client.post(CHANGE_PASSWORD, json=body)
        assert answer.json()["code"] == "invalid_password"
        assert await mails.kinds_to(ada.user.email) == [ResetPassword]
        followed(await reset(mails, token))
