"""Staying signed in: the refresh token grant, from outside."""

import asyncio
from datetime import datetime
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.db.connections import LOCK_SECONDS, Connection
from app.models.base import new_id
from app.security.refresh_tokens import RefreshToken, RefreshTokens
from tests.contract.answers import complaints
from tests.contract.forgeries import decode
from tests.factories.users import Account, account
from tests.faults.races import Tokens, bearer, refresh
from tests.routers.test_auth import TOKEN, grant, signed_up

ME = "/api/v1/users/me"


async def begun(client: AsyncClient) -> Tokens:
    """Sign up and in; return the tokens."""
    new = await signed_up(client)
    return Tokens.of(await client.post(TOKEN, data=grant(new["email"])))


def session_of(tokens: Tokens) -> UUID:
    return UUID(decode(tokens.access.split(".")[1])["sid"])


async def later(owner: Connection, tokens: Tokens, interval: str) -> None:
    """Let time go by for a session."""
    await owner.execute(
        "UPDATE user_sessions SET rotated_at = rotated_at - $2::text::interval,"
        " created_at = created_at - $2::text::interval,"
        " last_used_at = last_used_at - $2::text::interval,"
        " expires_at = expires_at - $2::text::interval WHERE id = $1",
        session_of(tokens),
        interval,
    )


async def opens(client: AsyncClient, tokens: Tokens) -> bool:
    answer = await client.get(ME, headers=bearer(tokens.access))
    assert answer.status_code in {200, 401}
    return answer.status_code == 200


def assert_refused(answer: Response) -> None:
    assert complaints(answer, status=400) == []
    assert answer.json()["error"] == answer.json()["code"] == "invalid_grant"
    assert answer.headers["cache-control"] == "no-store"


class TestRefresh:
    async def test_exchanges_a_token_for_the_next_ones(
        self, client: AsyncClient
    ) -> None:
        first = await begun(client)
        answer = await refresh(client, first.refresh)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.json().keys() == {
            "access_token",
            "refresh_token",
            "token_type",
            "expires_in",
        }
        second = Tokens.of(answer)
        assert second.refresh != first.refresh
        assert session_of(second) == session_of(first)
        assert await opens(client, second)
        assert await opens(client, first)  # until it expires

    async def test_what_other_clients_add_is_ignored(self, client: AsyncClient) -> None:
        first = await begun(client)
        form = {"grant_type": "refresh_token", "refresh_token": first.refresh}
        more = {"scope": "", "client_id": "app", "username": "x", "password": "y"}
        Tokens.of(await client.post(TOKEN, data=form | more))

    async def test_nothing_that_is_stored_is_a_token(
        self, app: FastAPI, client: AsyncClient, owner_connection: Connection
    ) -> None:
        first = await begun(client)
        second = Tokens.of(await refresh(client, first.refresh))
        row = await owner_connection.fetchrow(
            "SELECT * FROM user_sessions WHERE id = $1", session_of(first)
        )
        assert row is not None
        for tokens in (first, second):
            assert tokens.refresh not in str(dict(row))
        stored = RefreshToken(row["id"], row["generation"], row["token_hash"])
        with_nonce = RefreshToken(row["id"], 1, row["parent_hash"])
        for made in (stored, with_nonce.successor(row["nonce"])):
            text = app.state.resources.refresh_tokens.write(made)
            assert_refused(await refresh(client, text))

    async def test_a_token_presented_again_at_once_gets_the_same_successor(
        self, client: AsyncClient
    ) -> None:
        first = await begun(client)
        answers = await asyncio.gather(
            *(refresh(client, first.refresh) for _ in range(20))
        )
        (successor,) = {Tokens.of(answer).refresh for answer in answers}
        again = Tokens.of(await refresh(client, first.refresh))
        assert again.refresh == successor
        Tokens.of(await refresh(client, successor))

    async def test_it_does_so_for_ten_seconds(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        first = await begun(client)
        second = Tokens.of(await refresh(client, first.refresh))
        await later(owner_connection, first, "8 seconds")
        again = Tokens.of(await refresh(client, first.refresh))
        assert again.refresh == second.refresh
        await later(owner_connection, first, "3 seconds")
        assert_refused(await refresh(client, first.refresh))
        assert not await opens(client, second)
        assert_refused(await refresh(client, second.refresh))

    async def test_it_does_so_no_longer_when_the_successor_was_used(
        self, client: AsyncClient
    ) -> None:
        first = await begun(client)
        second = Tokens.of(await refresh(client, first.refresh))
        third = Tokens.of(await refresh(client, second.refresh))
        assert_refused(await refresh(client, first.refresh))
        for tokens in (first, second, third):
            assert not await opens(client, tokens)
            assert_refused(await refresh(client, tokens.refresh))

    async def test_reuse_ends_one_session_only_and_is_stored(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        new = await signed_up(client)
        stolen, other = [
            Tokens.of(await client.post(TOKEN, data=grant(new["email"])))
            for _ in range(2)
        ]
        tokens = stolen
        for _ in range(3):
            tokens = Tokens.of(await refresh(client, tokens.refresh))
        assert_refused(await refresh(client, stolen.refresh))
        exists = "SELECT count(*) FROM user_sessions WHERE id = $1"
        assert not await owner_connection.fetchval(exists, session_of(stolen))
        assert await opens(client, other)
        Tokens.of(await refresh(client, other.refresh))

    async def test_who_knows_only_the_id_of_a_session_cannot_end_it(
        self, client: AsyncClient
    ) -> None:
        first = await begun(client)
        for generation in (0, 1, 2, 7):
            guess = RefreshToken(session_of(first), generation, b"x" * 32)
            forged = RefreshTokens([b"the key of another installation"]).write(guess)
            assert_refused(await refresh(client, forged))
        assert await opens(client, first)

    async def test_one_of_a_future_that_a_backup_has_undone_ends_nothing(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        first = await begun(client)
        later = RefreshToken(session_of(first), 9, b"x" * 32)
        text = app.state.resources.refresh_tokens.write(later)
        assert_refused(await refresh(client, text))
        assert await opens(client, first)

    @pytest.mark.parametrize("wrong", ["x", "zrt_", "zrt_" + "A" * 92, "é", "\0", " "])
    async def test_what_is_no_token_is_an_error_of_oauth(
        self, client: AsyncClient, wrong: str
    ) -> None:
        assert_refused(await refresh(client, wrong))

    async def test_an_access_token_is_none(self, client: AsyncClient) -> None:
        first = await begun(client)
        assert_refused(await refresh(client, first.access))
        answer = await client.get(ME, headers=bearer(first.refresh))
        assert answer.status_code == 401

    async def test_a_token_of_a_session_that_never_was_is_refused(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        unknown = RefreshToken.first(new_id())
        text = app.state.resources.refresh_tokens.write(unknown)
        assert_refused(await refresh(client, text))


class TestExpiry:
    async def test_slides_with_each_refresh(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        tokens = await begun(client)
        for _ in range(3):
            await later(owner_connection, tokens, "6 days 23 hours")
            tokens = Tokens.of(await refresh(client, tokens.refresh))
            assert await opens(client, tokens)

    async def test_ends_a_session_that_was_not_used(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        tokens = await begun(client)
        await later(owner_connection, tokens, "7 days 1 minute")
        assert not await opens(client, tokens)
        assert_refused(await refresh(client, tokens.refresh))

    async def test_comes_after_ninety_days_at_the_latest(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        tokens = await begun(client)
        await owner_connection.execute(
            "UPDATE user_sessions SET created_at = created_at - interval '90 days'"
            " + interval '10 minutes' WHERE id = $1",
            session_of(tokens),
        )
        answer = await refresh(client, tokens.refresh)
        tokens = Tokens.of(answer)
        assert 9 * 60 < answer.json()["expires_in"] <= 10 * 60
        await later(owner_connection, tokens, "11 minutes")
        assert not await opens(client, tokens)
        assert_refused(await refresh(client, tokens.refresh))


class TestAccessTokens:
    async def test_belong_to_their_own_session(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        forged = app.state.resources.tokens.issue(
            ada.user.id, session_id=bob.session.id
        )
        answer = await ada.client.get(ME, headers=bearer(forged.text))
        assert answer.status_code == 401

    async def test_of_no_session_open_nothing(self, app: FastAPI) -> None:
        ada = await account(app)
        forged = app.state.resources.tokens.issue(ada.user.id, session_id=new_id())
        answer = await ada.client.get(ME, headers=bearer(forged.text))
        assert answer.status_code == 401


class TestLastUse:
    async def test_is_noted_at_most_once_a_minute(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        written = await self.last_use(owner_connection, ada)
        assert (await ada.client.get(ME)).is_success
        assert await self.last_use(owner_connection, ada) == written
        await owner_connection.execute(
            "UPDATE user_sessions SET last_used_at = last_used_at - interval"
            " '61 seconds', ip = '192.0.2.1' WHERE id = $1",
            ada.session.id,
        )
        answers = await asyncio.gather(*(ada.client.get(ME) for _ in range(10)))
        assert all(answer.is_success for answer in answers)
        noted = await self.last_use(owner_connection, ada)
        assert noted[0] >= written[0]
        assert noted[1] == "127.0.0.1"

    async def test_does_not_wait_for_who_changes_the_session(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        await owner_connection.execute(
            "UPDATE user_sessions SET last_used_at = last_used_at - interval"
            " '1 hour' WHERE id = $1",
            ada.session.id,
        )
        async with owner_connection.transaction():
            lock = "SELECT FROM user_sessions WHERE id = $1 FOR UPDATE"
            await owner_connection.execute(lock, ada.session.id)
            # It would wait until a lock is given up for lost, and then go on.
            async with asyncio.timeout(LOCK_SECONDS - 1):
                assert (await ada.client.get(ME)).is_success

    async def last_use(self, owner: Connection, whose: Account) -> tuple[datetime, str]:
        row = await owner.fetchrow(
            "SELECT last_used_at, ip FROM user_sessions WHERE id = $1", whose.session.id
        )
        assert row is not None
        return row["last_used_at"], row["ip"]
