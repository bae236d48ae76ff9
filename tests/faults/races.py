"""Races: refreshes, sign-ins and superusers against what ends a session or a right.

Each round is one race on accounts of its own. The clients may be those of several
processes; a round fails by an `AssertionError` that says what did not hold.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from httpx2 import AsyncClient, Response

from tests.factories.users import PASSWORD, registration

TABS = 20
CHAIN = 6
SIGN_INS = 2

NEW_PASSWORD = f"another {PASSWORD}"

AUTH = "/api/v1/auth"
USERS = "/api/v1/users"

Form = dict[str, str]


@dataclass(frozen=True)
class Arena:
    """Where races are run: clients to take turns with, and a superuser's token."""

    clients: Sequence[AsyncClient]
    superuser: str

    def client(self, number: int) -> AsyncClient:
        return self.clients[number % len(self.clients)]


@dataclass(frozen=True)
class Tokens:
    """What the token endpoint answered."""

    access: str
    refresh: str

    @classmethod
    def of(cls, answer: Response) -> "Tokens":
        assert answer.status_code == 200, answer.text
        return cls(answer.json()["access_token"], answer.json()["refresh_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def password_form(email: str, password: str = PASSWORD) -> Form:
    return {"grant_type": "password", "username": email, "password": password}


async def refresh(client: AsyncClient, token: str) -> Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await client.post(f"{AUTH}/token", data=form)


async def sign_up_and_in(client: AsyncClient) -> tuple[str, str, Tokens]:
    """Return the id and the address of somebody new, and their tokens."""
    new = registration()
    created = await client.post(f"{AUTH}/register", json=new)
    assert created.status_code == 201, created.text
    answer = await client.post(f"{AUTH}/token", data=password_form(new["email"]))
    return created.json()["id"], new["email"], Tokens.of(answer)


async def tabs(arena: Arena) -> None:
    """Present one token from many tabs at once: one successor, and nobody is out."""
    _, _, first = await sign_up_and_in(arena.client(0))
    answers = await asyncio.gather(
        *(refresh(arena.client(n), first.refresh) for n in range(TABS))
    )
    given = [Tokens.of(answer) for answer in answers]
    successors = {tokens.refresh for tokens in given}
    assert len(successors) == 1, f"{len(successors)} successors"
    for number, tokens in enumerate(given):
        await _assert_open(arena.client(number), tokens.access)
    (leaf,) = successors
    following = Tokens.of(await refresh(arena.client(1), leaf))
    assert following.refresh not in {leaf, first.refresh}
    # Now the first one is an older token: somebody has a copy of it.
    assert (await refresh(arena.client(0), first.refresh)).status_code == 400
    await _assert_nothing_opens(arena, [first, *given, following])


async def _assert_open(client: AsyncClient, access: str) -> None:
    answer = await client.get(f"{USERS}/me", headers=bearer(access))
    assert answer.status_code == 200, answer.text


async def _assert_nothing_opens(arena: Arena, minted: Sequence[Tokens]) -> None:
    for number, tokens in enumerate(minted):
        client = arena.client(number)
        answer = await client.get(f"{USERS}/me", headers=bearer(tokens.access))
        assert answer.status_code == 401, f"an access token opens: {answer.text}"
        answer = await refresh(client, tokens.refresh)
        assert answer.status_code == 400, f"a refresh token works: {answer.text}"


async def logout(arena: Arena) -> None:
    """Log out while the session is refreshed."""
    _, _, tokens = await sign_up_and_in(arena.client(0))
    headers = bearer(tokens.access)
    minted, ended = await asyncio.gather(
        _chain(arena, tokens), arena.client(1).post(f"{AUTH}/logout", headers=headers)
    )
    assert ended.status_code == 204, ended.text
    await _assert_nothing_opens(arena, [tokens, *minted])


async def password_change(arena: Arena) -> None:
    """Change the password while others refresh, and sign in with the old one."""
    _, email, own = await sign_up_and_in(arena.client(0))
    other = Tokens.of(
        await arena.client(1).post(f"{AUTH}/token", data=password_form(email))
    )
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    change = arena.client(1).post(
        f"{AUTH}/change-password", json=body, headers=bearer(own.access)
    )
    minted, begun, changed = await asyncio.gather(
        _chain(arena, other), _sign_ins(arena, email), change
    )
    assert changed.status_code == 204, changed.text
    await _assert_nothing_opens(arena, [other, *minted, *begun])
    await _assert_open(arena.client(0), own.access)
    Tokens.of(await refresh(arena.client(1), own.refresh))


async def deactivation(arena: Arena) -> None:
    """Switch an account off while it refreshes and signs in."""
    user_id, email, tokens = await sign_up_and_in(arena.client(0))
    headers = bearer(arena.superuser)
    switch_off = arena.client(1).patch(
        f"{USERS}/{user_id}", json={"is_active": False}, headers=headers
    )
    minted, begun, ended = await asyncio.gather(
        _chain(arena, tokens), _sign_ins(arena, email), switch_off
    )
    assert ended.status_code == 200, ended.text
    on = {"is_active": True}  # what ended does not come back with the account
    await arena.client(1).patch(f"{USERS}/{user_id}", json=on, headers=headers)
    await _assert_nothing_opens(arena, [tokens, *minted, *begun])


async def deletion(arena: Arena) -> None:
    """Delete the account while it refreshes and signs in."""
    _, email, tokens = await sign_up_and_in(arena.client(0))
    delete = arena.client(1).post(
        f"{AUTH}/delete-account",
        json={"password": PASSWORD},
        headers=bearer(tokens.access),
    )
    minted, begun, ended = await asyncio.gather(
        _chain(arena, tokens), _sign_ins(arena, email), delete
    )
    assert ended.status_code == 204, ended.text
    await _assert_nothing_opens(arena, [tokens, *minted, *begun])


async def demotion(arena: Arena) -> None:
    """Take a superuser's rights while they give them back to themselves."""
    user_id, email, tokens = await sign_up_and_in(arena.client(0))
    url, boss = f"{USERS}/{user_id}", bearer(arena.superuser)
    rights = {"is_superuser": True}
    await arena.client(0).patch(url, json=rights, headers=boss)
    own = [
        arena.client(n).patch(url, json=rights, headers=bearer(tokens.access))
        for n in range(CHAIN)
    ]
    no_rights = {"is_superuser": False}
    ended, *_ = await asyncio.gather(
        arena.client(1).patch(url, json=no_rights, headers=boss), *own
    )
    assert ended.status_code == 200, ended.text
    answer = await arena.client(0).get(USERS, headers=bearer(tokens.access))
    assert answer.status_code == 403, f"{email} is a superuser still"


async def crossing(arena: Arena) -> None:
    """Let two superusers change each other, and themselves, all at once."""
    boss = bearer(arena.superuser)
    pair = [await sign_up_and_in(arena.client(n)) for n in range(2)]
    for user_id, _, _ in pair:
        url = f"{USERS}/{user_id}"
        await arena.client(0).patch(url, json={"is_superuser": True}, headers=boss)
    changes = [
        arena.client(n).patch(
            f"{USERS}/{target}", json={"full_name": f"{n}"}, headers=bearer(own.access)
        )
        for n in range(CHAIN)
        for target, _, _ in pair
        for _, _, own in pair
    ]
    answers = await asyncio.gather(*changes)
    assert {answer.status_code for answer in answers} == {200}


async def crowding(arena: Arena) -> None:
    """Change an account in all ways at once, from two sessions that end each other."""
    user_id, email, one = await sign_up_and_in(arena.client(0))
    two = Tokens.of(
        await arena.client(1).post(f"{AUTH}/token", data=password_form(email))
    )
    name, body = {"full_name": "x"}, {"current_password": PASSWORD}
    calls: Sequence[tuple[str, str, Any]] = (
        ("PATCH", f"{USERS}/{user_id}", name),
        ("PATCH", f"{USERS}/me", name),
        ("DELETE", f"{AUTH}/sessions", None),
        ("PATCH", f"{USERS}/me", name),
        ("POST", f"{AUTH}/change-password", {**body, "new_password": NEW_PASSWORD}),
        ("PATCH", f"{USERS}/{user_id}", name),
        ("POST", f"{AUTH}/logout", None),
    )
    asked = [
        arena.client(n).request(method, path, json=given, headers=bearer(own.access))
        for n, own in enumerate((one, two))
        for method, path, given in calls
    ]
    answers = await asyncio.gather(*asked)
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 204, 400, 401}, statuses


async def _chain(arena: Arena, tokens: Tokens) -> list[Tokens]:
    """Refresh one token after the other, until the session has ended."""
    chain = []
    for number in range(CHAIN):
        answer = await refresh(arena.client(number), tokens.refresh)
        if answer.status_code != 200:
            assert answer.status_code == 400, answer.text
            break
        tokens = Tokens.of(answer)
        chain.append(tokens)
    return chain


async def _sign_ins(arena: Arena, email: str) -> list[Tokens]:
    """Sign in with the password of the beginning, several times at once."""
    answers = await asyncio.gather(
        *(
            arena.client(n).post(f"{AUTH}/token", data=password_form(email))
            for n in range(SIGN_INS)
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 400}
    return [Tokens.of(answer) for answer in answers if answer.is_success]


RACES: Mapping[str, Callable[[Arena], Awaitable[None]]] = {
    "tabs": tabs,
    "logout": logout,
    "password change": password_change,
    "deactivation": deactivation,
    "deletion": deletion,
    "demotion": demotion,
    "crossing": crossing,
    "crowding": crowding,
}
