"""Somebody who may see to everything always stays."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from tests.conftest import running, settings_for
from tests.contract.answers import complaints
from tests.databases import Databases
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
)
from tests.routers.test_user_administration import ME, USERS, url_of


@pytest.fixture
async def alone(databases: Databases) -> AsyncIterator[FastAPI]:
    """An application whose database has no users yet."""
    async with databases.fresh() as database:
        url = SecretStr(database.app_url)
        async with running(settings_for(DATABASE_URL=url)) as app:
            yield app


class TestLastSuperuser:
    @pytest.mark.parametrize("change", [{"is_active": False}, {"is_superuser": False}])
    async def test_cannot_be_changed_into_another(
        self, alone: FastAPI, change: dict[str, bool]
    ) -> None:
        root = await account(alone, is_superuser=True)
        await account(alone, is_superuser=True, is_active=False)
        answer = await root.client.patch(url_of(root), json=change)
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "last_superuser"
        assert (await root.client.get(USERS)).is_success
        await account(alone, is_superuser=True)
        assert (await root.client.patch(url_of(root), json=change)).is_success

    async def test_cannot_leave(self, alone: FastAPI) -> None:
        root = await account_with_password(alone, is_superuser=True)
        leave = {"password": PASSWORD}
        for answer in (
            await root.client.delete(url_of(root)),
            await root.client.post("/api/v1/auth/delete-account", json=leave),
        ):
            assert complaints(answer, status=409) == []
            assert answer.json()["code"] == "last_superuser"
        assert (await root.client.get(ME)).json()["email"] == root.user.email

    async def test_one_stays_when_all_go_at_once(self, alone: FastAPI) -> None:
        left: list[Account] = []
        for _ in range(5):
            while len(left) < 4:
                left.append(await account(alone, is_superuser=True))
            one, two, three, four = left
            answers = await asyncio.gather(
                one.client.patch(url_of(two), json={"is_superuser": False}),
                two.client.patch(url_of(one), json={"is_active": False}),
                three.client.delete(url_of(three)),
                four.client.patch(url_of(four), json={"is_superuser": False}),
            )
            statuses = {answer.status_code for answer in answers}
            assert statuses <= {200, 204, 401, 403, 404, 409}
            left = [root for root in left if await is_superuser(root)]
            assert len(left) >= 1


async def is_superuser(whose: Account) -> bool:
    return (await whose.client.get(USERS)).status_code == 200
