"""What was right a moment ago, when the password was compared, and is not any more."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.security.passwords import Passwords
from tests.factories.users import (
    PASSWORD,
    account,
    account_with_password,
    registration,
    signed_in,
)
from tests.routers.test_accounts import CHANGE, DELETE, NEW
from tests.routers.test_auth import TOKEN, grant

ME = "/api/v1/users/me"
OLD = {"password": PASSWORD}
CHANGED = {"current_password": PASSWORD, "new_password": NEW}


class Gate:
    """Holds the first comparison of a password back once it is made."""

    def __init__(self) -> None:
        self.is_there = False
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def pass_first(self) -> None:
        if self.is_there and not self.reached.is_set():
            self.reached.set()
            await self.open.wait()


@pytest.fixture
async def gate(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gate]:
    """Hold back the first who has compared or hashed a password."""
    gate = Gate()

    def held(work: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def work_and_wait(*given: Any) -> Any:
            result = await work(*given)
            await gate.pass_first()
            return result

        return work_and_wait

    monkeypatch.setattr(Passwords, "verify", held(Passwords.verify))
    monkeypatch.setattr(Passwords, "hash", held(Passwords.hash))
    yield gate
    gate.open.set()


async def begin(gate: Gate, asking: Awaitable[Response]) -> asyncio.Task[Response]:
    """Ask, as far as the gate."""

    async def ask() -> Response:
        return await asking

    gate.is_there = True
    task = asyncio.create_task(ask())
    await gate.reached.wait()
    return task


async def end(gate: Gate, task: "asyncio.Task[Response]") -> tuple[int, str]:
    gate.open.set()
    answer = await task
    return answer.status_code, answer.json()["code"]


class TestLateSignIn:
    async def test_comes_too_late_after_a_change_of_the_password(
        self, app: FastAPI, client: AsyncClient, gate: Gate
    ) -> None:
        ada = await account_with_password(app)
        signing_in = await begin(gate, client.post(TOKEN, data=grant(ada.user.email)))
        assert (await ada.client.post(CHANGE, json=CHANGED)).status_code == 204
        assert await end(gate, signing_in) == (400, "invalid_grant")

    async def test_comes_too_late_after_the_account_was_switched_off(
        self, app: FastAPI, client: AsyncClient, gate: Gate
    ) -> None:
        ada = await account_with_password(app)
        root = await account(app, is_superuser=True)
        signing_in = await begin(gate, client.post(TOKEN, data=grant(ada.user.email)))
        url, off = f"/api/v1/users/{ada.user.id}", {"is_active": False}
        assert (await root.client.patch(url, json=off)).status_code == 200
        assert await end(gate, signing_in) == (400, "invalid_grant")

    async def test_comes_too_late_after_the_account_was_erased(
        self, app: FastAPI, client: AsyncClient, gate: Gate
    ) -> None:
        ada = await account_with_password(app)
        signing_in = await begin(gate, client.post(TOKEN, data=grant(ada.user.email)))
        assert (await ada.client.post(DELETE, json=OLD)).status_code == 204
        assert await end(gate, signing_in) == (400, "invalid_grant")


class TestLateDeletion:
    async def test_with_the_password_of_before_erases_nothing(
        self, app: FastAPI, gate: Gate
    ) -> None:
        ada = await account_with_password(app)
        other = await signed_in(app, ada.user)
        leaving = await begin(gate, other.client.post(DELETE, json=OLD))
        assert (await ada.client.post(CHANGE, json=CHANGED)).status_code == 204
        assert await end(gate, leaving) == (400, "invalid_password")
        assert (await ada.client.get(ME)).json()["email"] == ada.user.email


class TestEndedSession:
    async def test_changes_no_password(self, app: FastAPI, gate: Gate) -> None:
        ada = await account_with_password(app)
        thief = await signed_in(app, ada.user)
        changing = await begin(gate, thief.client.post(CHANGE, json=CHANGED))
        ended = await ada.client.delete("/api/v1/auth/sessions")
        assert ended.status_code == 204
        assert await end(gate, changing) == (401, "unauthorized")
        assert (await ada.client.post(CHANGE, json=CHANGED)).status_code == 204


class TestFormerSuperuser:
    async def test_makes_no_user_any_more(self, app: FastAPI, gate: Gate) -> None:
        root, boss = [await account(app, is_superuser=True) for _ in range(2)]
        new = registration(is_superuser=True)
        making = await begin(gate, root.client.post("/api/v1/users", json=new))
        url, no_more = f"/api/v1/users/{root.user.id}", {"is_superuser": False}
        assert (await boss.client.patch(url, json=no_more)).status_code == 200
        assert await end(gate, making) == (401, "unauthorized")
