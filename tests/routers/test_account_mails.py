"""Mails about accounts that others make, and that end."""

from httpx2 import AsyncClient

from app.mail.messages import AccountDeleted, Welcome
from tests.factories.users import (
    PASSWORD,
    account,
    account_with_password,
    registration,
)
from tests.links import DELETE, USERS, followed, reset, to_change, to_reset, verify
from tests.mailbox import Post


async def created(client: AsyncClient, **given: object) -> str:
    new = registration(**given)
    answer = await client.post(USERS, json=new)
    assert answer.status_code == 201, answer.text
    email: str = new["email"]
    return email


class TestCreateUser:
    async def test_welcomes_who_was_made_by_a_superuser(self, mails: Post) -> None:
        superuser = await account(mails.app, is_superuser=True)
        (mail,) = await mails.to(await created(superuser.client))
        assert mail.kind is Welcome
        followed(await verify(mails, mail.token))

    async def test_does_not_welcome_who_cannot_sign_in(self, mails: Post) -> None:
        superuser = await account(mails.app, is_superuser=True)
        email = await created(superuser.client, is_active=False)
        assert await mails.to(email) == []


class TestDeleteAccount:
    async def test_says_farewell_and_voids_all_links(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        links = [await to_change(mails, ada), await to_reset(mails, ada)]
        followed(await ada.client.post(DELETE, json={"password": PASSWORD}))
        assert (await mails.kinds_to(ada.user.email))[-1] is AccountDeleted
        assert (await verify(mails, links[0])).json()["code"] == "invalid_token"
        assert (await reset(mails, links[1])).json()["code"] == "invalid_token"
        left = "SELECT count(*) FROM email_tokens WHERE user_id = $1"
        assert await mails.owner.fetchval(left, ada.user.id) == 0

    async def test_a_wrong_password_says_no_farewell(self, mails: Post) -> None:
        ada = await account_with_password(mails.app)
        answer = await ada.client.post(DELETE, json={"password": "not hers"})
        assert answer.json()["code"] == "invalid_password"
        assert await mails.to(ada.user.email) == []


class TestDeleteUser:
    async def test_says_farewell_to_whom_a_superuser_erases(self, mails: Post) -> None:
        superuser = await account(mails.app, is_superuser=True)
        ada = await account(mails.app)
        followed(await superuser.client.delete(f"{USERS}/{ada.user.id}"))
        assert await mails.kinds_to(ada.user.email) == [AccountDeleted]
