"""Links of mails: asked for, and followed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from httpx2 import Response

from tests.factories.users import PASSWORD, Account, account_with_password, new_email
from tests.mailbox import Post

AUTH = "/api/v1/auth"
VERIFY, RESEND = f"{AUTH}/verify-email", f"{AUTH}/verify-email/resend"
CHANGE_EMAIL = f"{AUTH}/change-email"
FORGOT, RESET = f"{AUTH}/forgot-password", f"{AUTH}/reset-password"
CHANGE_PASSWORD, DELETE = f"{AUTH}/change-password", f"{AUTH}/delete-account"
REGISTER, TOKEN = f"{AUTH}/register", f"{AUTH}/token"
ME, USERS = "/api/v1/users/me", "/api/v1/users"
NEW_PASSWORD = f"a new {PASSWORD}"


async def wish_to_verify(_: Post, whose: Account) -> str:
    accepted(await whose.client.post(RESEND))
    return whose.user.email


async def wish_to_reset(mails: Post, whose: Account) -> str:
    accepted(await mails.client.post(FORGOT, json={"email": whose.user.email}))
    return whose.user.email


async def wish_to_change(_: Post, whose: Account, new: str | None = None) -> str:
    new = new or new_email()
    body = {"new_email": new, "password": PASSWORD}
    accepted(await whose.client.post(CHANGE_EMAIL, json=body))
    return new


async def to_verify(mails: Post, whose: Account) -> str:
    """Ask for the link that verifies one's address; return its token."""
    return await mails.token(await wish_to_verify(mails, whose))


async def to_reset(mails: Post, whose: Account) -> str:
    """Ask for the link that resets a password; return its token."""
    return await mails.token(await wish_to_reset(mails, whose))


async def to_change(mails: Post, whose: Account, new: str | None = None) -> str:
    """Ask for the link that makes an address one's own; return its token."""
    return await mails.token(await wish_to_change(mails, whose, new))


async def verify(mails: Post, token: str) -> Response:
    return await mails.client.post(VERIFY, json={"token": token})


async def reset(mails: Post, token: str, password: str = NEW_PASSWORD) -> Response:
    body = {"token": token, "password": password}
    return await mails.client.post(RESET, json=body)


@dataclass(frozen=True)
class Link:
    """How a kind of link is asked for, and followed."""

    wish: Callable[[Post, Account], Awaitable[str]]
    """Ask for it; return the address that it is mailed to."""
    follow: Callable[[Post, str], Awaitable[Response]]

    async def asked(self, mails: Post) -> tuple[Account, str]:
        """Return somebody new, and the token of a link of theirs."""
        whose = await account_with_password(mails.app)
        return whose, await self.ask(mails, whose)

    async def ask(self, mails: Post, whose: Account) -> str:
        """Ask for it; return its token."""
        return await mails.token(await self.wish(mails, whose))


LINKS = {
    "verify": Link(wish_to_verify, verify),
    "change": Link(wish_to_change, verify),
    "reset": Link(wish_to_reset, reset),
}


def accepted(answer: Response) -> None:
    assert (answer.status_code, answer.content) == (202, b""), answer.text


def followed(answer: Response) -> None:
    assert (answer.status_code, answer.content) == (204, b""), answer.text


async def me(whose: Account) -> dict[str, Any]:
    answer = await whose.client.get(ME)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document
