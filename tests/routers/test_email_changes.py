"""Changing one's address, from outside."""

import asyncio

from app.mail.messages import (
    ConfirmNewEmail,
    EmailChanged,
    EmailChangeRequested,
    ResetPassword,
    VerifyEmail,
    Welcome,
)
from tests.conftest import client_of, running
from tests.contract.answers import complaints
from tests.factories.users import PASSWORD, account, account_with_password, new_email
from tests.links import (
    CHANGE_EMAIL,
    DELETE,
    TOKEN,
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

ROUNDS = 3


class TestChangeEmail:
    async def test_asks_the_new_address_and_tells_the_old_one(
        self, mails: Post
    ) -> None:
        ada, new = await account_with_password(mails.app), new_email()
        body = {"new_email": new, "password": PASSWORD}
        accepted(await ada.client.post(CHANGE_EMAIL, json=body))
        (notice,), (question,) = await mails.to(ada.user.email), await mails.to(new)
        assert notice.kind is EmailChangeRequested
        assert new in notice.text
        assert question.kind is ConfirmNewEmail
        assert ada.user.email not in question.text
        own = await me(ada)
        assert (own["email"], own["email_verified"]) == (ada.user.email, False)

    async def test_the_link_makes_the_address_ones_own(self, mails: Post) -> None:
        ada, new = await account_with_password(mails.app), new_email()
        followed(await verify(mails, await to_change(mails, ada, new)))
        own = await me(ada)
        assert (own["email"], own["email_verified"]) == (new, True)
        *_, notice = await mails.to(ada.user.email)
        assert notice.kind is EmailChanged
        assert new in notice.text
        assert await mails.kinds_to(new) == [ConfirmNewEmail]
        for email, status in ((ada.user.email, 400), (new, 200)):
            answer = await mails.client.post(TOKEN, data=grant(email))
            assert answer.status_code == status

    async def test_links_that_went_to_the_old_address_are_void(
        self, mails: Post
    ) -> None:
        ada = await account_with_password(mails.app)
        old = [await to_verify(mails, ada), await to_reset(mails, ada)]
        followed(await verify(mails, await to_change(mails, ada)))
        assert (await verify(mails, old[0])).json()["code"] == "invalid_token"
        assert (await reset(mails, old[1])).json()["code"] == "invalid_token"
        assert (await mails.kinds_to(ada.user.email))[:2] == [
            VerifyEmail,
            ResetPassword,
        ]

    async def test_frees_the_old_address(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        followed(await verify(mails, await to_change(mails, ada)))
        await signed_up(mails.client, email=ada.user.email)
        assert (await mails.kinds_to(ada.user.email))[-1] is Welcome

    async def test_a_wrong_password_asks_and_tells_nobody(self, mails: Post) -> None:
        ada, new = await account_with_password(mails.app), new_email()
        body = {"new_email": new, "password": "not hers"}
        answer = await ada.client.post(CHANGE_EMAIL, json=body)
        assert complaints(answer, status=400) == []
        assert answer.json()["code"] == "invalid_password"
        assert await mails.kinds_to(ada.user.email) == []
        assert await mails.kinds_to(new) == []

    async def test_is_for_who_is_signed_in(self, mails: Post) -> None:
        body = {"new_email": new_email(), "password": PASSWORD}
        answer = await mails.client.post(CHANGE_EMAIL, json=body)
        assert complaints(answer, status=401) == []

    async def test_what_is_no_address_is_refused(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        for wrong in ("nobody", "a@b@example.com", "=?utf-8?q?a?=@example.com"):
            body = {"new_email": wrong, "password": PASSWORD}
            answer = await ada.client.post(CHANGE_EMAIL, json=body)
            assert complaints(answer, status=422) == []
            assert answer.json()["errors"][0]["pointer"] == "/body/new_email"

    async def test_five_an_hour_are_mailed_to_one_address(self, mails: Post) -> None:
        ada, new = await account_with_password(mails.app), new_email()
        body = {"new_email": new, "password": PASSWORD}
        limits = mails.settings.model_copy(update={"RATE_LIMIT_ENABLED": True})
        async with running(limits) as app, client_of(app) as client:
            client.headers["Authorization"] = f"Bearer {ada.token}"
            for _ in range(5):
                accepted(await client.post(CHANGE_EMAIL, json=body))
                await mails.settled()
            answer = await client.post(CHANGE_EMAIL, json=body)
            assert complaints(answer, status=429) == []
        assert len(await mails.to(new)) == 5
        followed(await verify(mails, await mails.token(new)))


class TestTakenAddress:
    async def test_asking_for_one_does_not_tell_that_it_is_taken(
        self, mails: Post
    ) -> None:
        ada, bob = await account_with_password(mails.app), await account(mails.app)
        token = await to_change(mails, ada, bob.user.email)
        answer = await verify(mails, token)
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "email_taken"
        assert (await me(ada))["email"] == ada.user.email
        assert (await me(bob))["email"] == bob.user.email
        assert EmailChanged not in await mails.kinds_to(ada.user.email)

    async def test_is_ones_own_once_it_is_free(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        bob = await account_with_password(mails.app)
        token = await to_change(mails, ada, bob.user.email)
        assert (await verify(mails, token)).status_code == 409
        followed(await bob.client.post(DELETE, json={"password": PASSWORD}))
        followed(await verify(mails, token))
        assert (await me(ada))["email"] == bob.user.email

    async def test_of_two_who_follow_their_links_at_once_one_has_it(
        self, mails: Post
    ) -> None:
        for _ in range(ROUNDS):
            wanted = new_email()
            both = [await account_with_password(mails.app) for _ in range(2)]
            tokens = [await to_change(mails, one, wanted) for one in both]
            answers = await asyncio.gather(*(verify(mails, t) for t in tokens))
            assert sorted(a.status_code for a in answers) == [204, 409]
            won = [a.status_code == 204 for a in answers]
            for one, has_it in zip(both, won, strict=True):
                assert ((await me(one))["email"] == wanted) is has_it
                told = EmailChanged in await mails.kinds_to(one.user.email)
                assert told is has_it

    async def test_who_signs_up_with_it_meanwhile_keeps_it_or_never_has_it(
        self, mails: Post
    ) -> None:
        for _ in range(ROUNDS):
            ada, wanted = await account_with_password(mails.app), new_email()
            token = await to_change(mails, ada, wanted)
            new = {"email": wanted, "password": PASSWORD, "full_name": "Bob"}
            answers = await asyncio.gather(
                verify(mails, token),
                mails.client.post("/api/v1/auth/register", json=new),
            )
            codes = [answer.status_code for answer in answers]
            assert codes in ([204, 409], [409, 201])
            assert ((await me(ada))["email"] == wanted) is (codes[0] == 204)
