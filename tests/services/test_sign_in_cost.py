"""Signing in costs the same whoever tries, and never the event loop.

So neither an answer nor the time it takes tells which addresses have an account, and
a storm of sign-ins leaves everybody else alone.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher
from email_validator import validate_email
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from sqlalchemy import event
from typing_extensions import override

from app.config import Settings
from app.security import passwords
from tests.conftest import client_of, running
from tests.contract.answers import without_identity
from tests.factories.users import PASSWORD, new_email, registration, user

TOKEN, FORGOT = "/api/v1/auth/token", "/api/v1/auth/forgot-password"
WRONG = "a wrong one of good length"


class Work:
    """What is done meanwhile: passwords hashed and compared, statements sent."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.threads: set[str] = set()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self.begun = asyncio.Event()
        self.gate = threading.Event()
        """While it is not set, no comparison ends."""
        self.gate.set()
        self._loop = asyncio.get_running_loop()

    def begin(self, kind: str) -> None:
        with self._lock:
            self.done.append(kind)
            self.threads.add(threading.current_thread().name)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        self._loop.call_soon_threadsafe(self.begun.set)

    def end(self) -> None:
        with self._lock:
            self._at_once -= 1

    def take(self) -> list[str]:
        """Return what was done since the last time."""
        done, self.done = self.done, []
        return done


class WatchedHasher(PasswordHasher):
    """The application's own hasher, watched."""

    def __init__(self, work: Work, **options: Any) -> None:
        super().__init__(**options)
        self.work = work

    @override
    def hash(self, password: str | bytes, *, salt: bytes | None = None) -> str:
        self.work.begin("hash")
        try:
            return super().hash(password, salt=salt)
        finally:
            self.work.end()

    @override
    def verify(self, hash: str | bytes, password: str | bytes) -> Any:
        self.work.begin("verify")
        try:
            self.work.gate.wait()
            return super().verify(hash, password)
        finally:
            self.work.end()


@pytest.fixture
async def work() -> Work:
    return Work()


@pytest.fixture
async def app(
    settings: Settings, work: Work, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FastAPI]:
    """An application whose work is watched, on both of its lanes to the database."""
    connect = asyncpg.connect

    async def watched_connect(*arguments: Any, **options: Any) -> Any:
        connection = await connect(*arguments, **options)
        connection.add_query_logger(lambda query: work.done.append(query.query))
        return connection

    monkeypatch.setattr(asyncpg, "connect", watched_connect)
    monkeypatch.setattr(passwords, "PasswordHasher", partial(WatchedHasher, work))
    async with running(settings) as app:

        def note(*arguments: Any) -> None:
            work.done.append(arguments[2])

        engine = app.state.resources.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        work.threads.clear()  # one hash is made while it starts
        work.take()
        yield app


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    async with client_of(app) as client:
        yield client


async def sign_in(client: AsyncClient, email: str, password: str = WRONG) -> Response:
    form = {"grant_type": "password", "username": email, "password": password}
    return await client.post(TOKEN, data=form)


async def stored(app: FastAPI, **given: Any) -> str:
    """Store a user whose password is the usual one; return the address."""
    resources = app.state.resources
    row = user(password_hash=await resources.passwords.hash(PASSWORD), **given)
    async with resources.sessions.begin() as session:
        session.add(row)
    return row.email


class TestCost:
    async def test_a_failure_is_the_same_whoever_it_is_about(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        known = await stored(app)
        disabled = await stored(app, is_active=False)
        emails = (known, disabled, new_email(), "no address", "\0", "a" * 5000)
        costs, answers = [], []
        work.take()
        for email in emails:
            answers.append(without_identity(await sign_in(client, email)))
            costs.append(work.take())
        assert all(answer == answers[0] for answer in answers)
        assert all(cost == costs[0] for cost in costs)
        assert len(costs[0]) == 2
        assert costs[0][1] == "verify"
        assert costs[0][0].startswith("SELECT")

    async def test_only_who_is_let_in_costs_more(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        active, disabled = await stored(app), await stored(app, is_active=False)
        work.take()
        assert (await sign_in(client, disabled, PASSWORD)).status_code == 400
        refused = work.take()
        assert [line.split()[0] for line in refused] == ["SELECT", "verify"]
        assert (await sign_in(client, active, PASSWORD)).status_code == 200
        welcome = work.take()
        assert welcome[: len(refused)] == refused
        begun = [line.split()[0] for line in welcome[len(refused) :]]
        # A session begins its transaction with the first statement.
        assert begun == ["SELECT", "BEGIN;", "WITH", "INSERT", "COMMIT;"]

    async def test_a_refresh_hashes_no_password_and_takes_one_lock(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        token = (await sign_in(client, await stored(app), PASSWORD)).json()
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token["refresh_token"],
        }
        work.take()
        assert (await client.post(TOKEN, data=form)).status_code == 200
        done = work.take()
        kinds = [line.split()[0] for line in done]
        assert kinds == ["SELECT", "BEGIN;", "UPDATE", "COMMIT;"]
        assert "FOR NO KEY UPDATE OF user_sessions" in done[0]
        form["refresh_token"] = "zrt_" + "A" * 92
        assert (await client.post(TOKEN, data=form)).status_code == 400
        assert work.take() == []

    async def test_an_authenticated_request_takes_one_statement(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        token = (await sign_in(client, await stored(app), PASSWORD)).json()
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        work.take()
        assert (await client.get("/api/v1/users/me", headers=headers)).is_success
        assert len(work.take()) == 1

    async def test_an_address_that_is_too_long_is_not_looked_into(
        self, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lengths: list[int] = []

        def note(text: str, **options: Any) -> Any:
            lengths.append(len(text))
            return validate_email(text, **options)

        monkeypatch.setattr("app.schemas.types.validate_email", note)
        await sign_in(client, "a" * 100_000)
        await sign_in(client, new_email())
        assert lengths == [len(new_email())]

    async def test_a_hash_that_cannot_be_read_costs_no_less_and_lets_nobody_in(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        broken = user(password_hash="!")
        async with app.state.resources.sessions.begin() as session:
            session.add(broken)
        answer = await sign_in(client, broken.email, "!")
        assert answer.json()["code"] == "invalid_grant"
        assert "verify" in work.take()

    async def test_a_forgotten_password_costs_the_same_whoever_asks(
        self, app: FastAPI, client: AsyncClient, work: Work
    ) -> None:
        known, disabled = await stored(app), await stored(app, is_active=False)
        verified = await stored(app, email_verified_at=datetime.now(UTC))
        await client.post(FORGOT, json={"email": new_email()})
        costs = []
        work.take()
        for email in (known, verified, disabled, new_email()):
            answer = await client.post(FORGOT, json={"email": email})
            assert answer.status_code == 202
            costs.append(work.take())
        assert costs == [costs[0]] * 4
        assert [line.split()[0] for line in costs[0]] == ["WITH", "BEGIN;", "COMMIT;"]


class TestThreads:
    async def test_no_password_is_hashed_on_the_event_loop(
        self, client: AsyncClient, work: Work
    ) -> None:
        new = registration()
        await client.post("/api/v1/auth/register", json=new)
        await asyncio.gather(
            *(sign_in(client, new["email"], PASSWORD) for _ in range(5)),
            *(sign_in(client, new_email()) for _ in range(5)),
        )
        assert work.done.count("hash") == 1
        assert work.done.count("verify") == 10
        assert work.threads
        assert all(name.startswith("passwords") for name in work.threads)

    async def test_no_more_at_once_than_leave_a_core_free(
        self, client: AsyncClient, work: Work
    ) -> None:
        await asyncio.gather(*(sign_in(client, new_email()) for _ in range(20)))
        assert work.most_at_once <= max(1, (os.cpu_count() or 1) - 1)

    async def test_others_are_answered_while_passwords_wait_for_their_turn(
        self, client: AsyncClient, work: Work
    ) -> None:
        work.gate.clear()
        waiting = asyncio.gather(*(sign_in(client, new_email()) for _ in range(20)))
        try:
            await work.begun.wait()
            assert (await client.get("/health/live")).status_code == 200
            assert not waiting.done()
        finally:
            work.gate.set()
            await waiting
