"""Tokens of links in mails: each is good once, for one thing, for some time."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from httpx2 import Response

from tests.contract.answers import complaints, without_identity
from tests.factories.users import Account, account, account_with_password
from tests.links import LINKS, NEW_PASSWORD, RESET, USERS, VERIFY, Link, followed
from tests.mailbox import Post

MADE_UP = "x" * 43


def assert_invalid(answer: Response) -> None:
    """It is the one answer to every token that is not good."""
    assert complaints(answer, status=400) == []
    assert without_identity(answer)[1] == {
        "type": "urn:zenith:problem:invalid_token",
        "title": "Bad Request",
        "status": 400,
        "detail": "The token is wrong, or was used, or is no longer good.",
        "code": "invalid_token",
    }


async def use(mails: Post, link: Link, _: Account, token: str) -> None:
    followed(await link.follow(mails, token))


async def ask_again(mails: Post, link: Link, whose: Account, token: str) -> None:
    assert await link.ask(mails, whose) != token


async def expire(mails: Post, _: Link, whose: Account, __: str) -> None:
    past = "UPDATE email_tokens SET expires_at = now() WHERE user_id = $1"
    assert await mails.owner.execute(past, whose.user.id) == "UPDATE 1"


async def switch_off(mails: Post, _: Link, whose: Account, __: str) -> None:
    superuser = await account(mails.app, is_superuser=True)
    url, off = f"{USERS}/{whose.user.id}", {"is_active": False}
    assert (await superuser.client.patch(url, json=off)).is_success


async def erase(mails: Post, _: Link, whose: Account, __: str) -> None:
    superuser = await account(mails.app, is_superuser=True)
    followed(await superuser.client.delete(f"{USERS}/{whose.user.id}"))


Spoil = Callable[[Post, Link, Account, str], Awaitable[None]]
SPOILED: dict[str, Spoil] = {
    "used": use,
    "void": ask_again,
    "expired": expire,
    "of a disabled user": switch_off,
    "of an erased user": erase,
}


@pytest.fixture(params=LINKS)
def link(request: pytest.FixtureRequest) -> Link:
    return LINKS[request.param]


class TestTokens:
    @pytest.mark.parametrize("how", SPOILED)
    async def test_one_that_is_no_longer_good_is_like_one_that_never_was(
        self, mails: Post, link: Link, how: str
    ) -> None:
        whose, token = await link.asked(mails)
        await SPOILED[how](mails, link, whose, token)
        assert_invalid(await link.follow(mails, token))
        assert_invalid(await link.follow(mails, MADE_UP))

    async def test_a_spoiled_one_leaves_the_good_one_good(
        self, mails: Post, link: Link
    ) -> None:
        _, token = await link.asked(mails)
        swapped = token[:-2] + ("AA" if token[-2:] != "AA" else "BA")
        for wrong in (swapped, token.swapcase(), f"{token}=", f" {token}", token[:-1]):
            assert_invalid(await link.follow(mails, wrong))
        followed(await link.follow(mails, token))

    @pytest.mark.parametrize(
        ("asked", "tried"), [("reset", "verify"), ("verify", "reset")]
    )
    async def test_one_of_another_purpose_is_invalid_there_and_stays_good(
        self, mails: Post, asked: str, tried: str
    ) -> None:
        _, token = await LINKS[asked].asked(mails)
        assert_invalid(await LINKS[tried].follow(mails, token))
        followed(await LINKS[asked].follow(mails, token))

    async def test_one_for_a_new_address_resets_no_password(self, mails: Post) -> None:
        _, token = await LINKS["change"].asked(mails)
        assert_invalid(await LINKS["reset"].follow(mails, token))

    async def test_of_ten_at_once_one_is_followed(
        self, mails: Post, link: Link
    ) -> None:
        _, token = await link.asked(mails)
        answers = await asyncio.gather(*(link.follow(mails, token) for _ in range(10)))
        assert Counter(a.status_code for a in answers) == {204: 1, 400: 9}
        for answer in answers:
            if answer.status_code == 400:
                assert_invalid(answer)

    async def test_of_links_asked_for_at_once_one_is_good(
        self, mails: Post, link: Link
    ) -> None:
        whose = await account_with_password(mails.app)
        wishes = await asyncio.gather(*(link.wish(mails, whose) for _ in range(4)))
        came = [mail for address in set(wishes) for mail in await mails.to(address)]
        tokens = [mail.token for mail in came if mail.links]
        codes = [(await link.follow(mails, token)).status_code for token in tokens]
        assert codes.count(204) == 1
        assert set(codes) <= {204, 400}


@pytest.mark.parametrize("path", [VERIFY, RESET])
class TestGarbage:
    @pytest.mark.parametrize(
        "token",
        ["", "x", "x" * 1000, "Zürich 🚀", "\u202e", "\u0085", "%00", "'--", "../"],
    )
    async def test_text_is_invalid(self, mails: Post, path: str, token: str) -> None:
        body = {"token": token, "password": NEW_PASSWORD}
        body = body if path == RESET else {"token": token}
        assert_invalid(await mails.client.post(path, json=body))

    @pytest.mark.parametrize(
        "token", ["x" * 1001, "\0", "a\0b", None, 7, ["x"], {"token": "x"}]
    )
    async def test_what_is_no_token_is_refused(
        self, mails: Post, path: str, token: Any
    ) -> None:
        body = {"token": token, "password": NEW_PASSWORD}
        body = body if path == RESET else {"token": token}
        answer = await mails.client.post(path, json=body)
        assert complaints(answer, status=422) == []
        assert answer.json()["errors"][0]["pointer"] == "/body/token"

    async def test_half_a_character_is_no_fault_of_ours(
        self, mails: Post, path: str
    ) -> None:
        body = f'{{"token": "\\ud800", "password": "{NEW_PASSWORD}"}}'
        headers = {"Content-Type": "application/json"}
        answer = await mails.client.post(path, content=body, headers=headers)
        assert answer.status_code in {400, 422}
