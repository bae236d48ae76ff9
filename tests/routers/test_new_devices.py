"""Mails about sign-ins from devices that were not seen before."""

import asyncio

from app.mail.messages import NewDevice, Welcome
from tests.factories.users import PASSWORD
from tests.faults.races import Tokens
from tests.links import DELETE, ME, TOKEN, followed
from tests.mailbox import Post
from tests.routers.test_auth import grant, signed_up

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:{}.0) Gecko/20100101 Firefox/{}.0"
NEXT_FIREFOX = FIREFOX.replace("{}", "141")
FIREFOX = FIREFOX.replace("{}", "140")
PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


async def signs_in(mails: Post, email: str, agent: str) -> Tokens:
    headers = {"User-Agent": agent}
    return Tokens.of(await mails.client.post(TOKEN, data=grant(email), headers=headers))


class TestNewDevice:
    async def test_the_first_one_is_no_news(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        await signs_in(mails, email, FIREFOX)
        assert await mails.kinds_to(email) == [Welcome]

    async def test_a_second_one_is_told_of_once(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        await signs_in(mails, email, FIREFOX)
        for agent in (PHONE, PHONE, FIREFOX, NEXT_FIREFOX):
            await signs_in(mails, email, agent)
        _, mail = await mails.to(email)
        assert mail.kind is NewDevice
        assert "Safari on iPhone" in mail.text
        assert "127.0.0.1" in mail.text

    async def test_of_sign_ins_at_once_one_tells(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        await signs_in(mails, email, FIREFOX)
        await asyncio.gather(*(signs_in(mails, email, PHONE) for _ in range(3)))
        assert await mails.kinds_to(email) == [Welcome, NewDevice]

    async def test_a_refresh_is_no_sign_in(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        tokens = await signs_in(mails, email, FIREFOX)
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh}
        headers = {"User-Agent": PHONE}
        answer = await mails.client.post(TOKEN, data=form, headers=headers)
        assert answer.status_code == 200
        assert await mails.kinds_to(email) == [Welcome]
        await signs_in(mails, email, PHONE)
        assert await mails.kinds_to(email) == [Welcome, NewDevice]

    async def test_a_failed_sign_in_makes_no_device_known(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        await signs_in(mails, email, FIREFOX)
        wrong, headers = grant(email, f"{PASSWORD}!"), {"User-Agent": PHONE}
        answer = await mails.client.post(TOKEN, data=wrong, headers=headers)
        assert answer.status_code == 400
        assert await mails.kinds_to(email) == [Welcome]
        await signs_in(mails, email, PHONE)
        assert await mails.kinds_to(email) == [Welcome, NewDevice]

    async def test_what_a_program_calls_itself_is_no_message_to_who_reads_it(
        self, mails: Post
    ) -> None:
        email = (await signed_up(mails.client))["email"]
        for agent in (FIREFOX, "https://evil.example/now", "<b>evil</b>/1.0"):
            await signs_in(mails, email, agent)
        _, *told = await mails.to(email)
        assert [mail.kind for mail in told] == [NewDevice, NewDevice]
        for mail in told:
            assert "evil.example" not in mail.text
            assert "<b>" not in mail.html
            assert "href=" not in mail.html

    async def test_devices_of_the_erased_are_forgotten(self, mails: Post) -> None:
        email = (await signed_up(mails.client))["email"]
        tokens = await signs_in(mails, email, FIREFOX)
        headers = {"Authorization": f"Bearer {tokens.access}"}
        id_ = (await mails.client.get(ME, headers=headers)).json()["id"]
        count = "SELECT count(*) FROM user_devices WHERE user_id = $1"
        assert await mails.owner.fetchval(count, id_) == 1
        body = {"password": PASSWORD}
        followed(await mails.client.post(DELETE, json=body, headers=headers))
        assert await mails.owner.fetchval(count, id_) == 0
