"""The users API as superusers see it, from outside."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from tests.contract.answers import complaints
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
    registration,
)
from tests.routers.test_auth import REGISTER, TOKEN, grant

USERS = "/api/v1/users"
ME = f"{USERS}/me"


def url_of(whose: Account) -> str:
    return f"{USERS}/{whose.user.id}"


@pytest.fixture
async def root(app: FastAPI) -> Account:
    return await account(app, is_superuser=True)


class TestGetUsers:
    async def test_finds_by_the_beginnings_of_words(
        self, app: FastAPI, root: Account
    ) -> None:
        mark = uuid4().hex[:10]
        zoe = await account(app, full_name=f"Zoë Müller-{mark}")
        await account(app, full_name=f"Zoran {mark}")
        for q in (f"zoe {mark}", f"{mark[:9]} MULL", f"müller-{mark}", f"zoë,{mark}"):
            page = (await root.client.get(USERS, params={"q": q})).json()
            assert [item["id"] for item in page["items"]] == [str(zoe.user.id)], q
        page = (await root.client.get(USERS, params={"q": zoe.user.email})).json()
        assert page["items"][0]["email"] == zoe.user.email
        for q in ("", " ", "-%_", f"oe {mark}", f"{mark}x"):
            page = (await root.client.get(USERS, params={"q": q})).json()
            assert page["items"] == [], q

    async def test_finds_by_a_name_that_was_changed(
        self, app: FastAPI, root: Account
    ) -> None:
        mark = uuid4().hex[:10]
        ada = await account(app)
        await ada.client.patch(ME, json={"full_name": f"Ada {mark}"})
        page = (await root.client.get(USERS, params={"q": mark})).json()
        assert [item["id"] for item in page["items"]] == [str(ada.user.id)]

    async def test_filters_sorts_and_goes_on(self, app: FastAPI, root: Account) -> None:
        mark = uuid4().hex[:10]
        names = ["b", "a", "c"]
        for name in names:
            await account(app, full_name=f"{name} {mark}", is_superuser=name == "b")
        await account(app, full_name=f"d {mark}", is_active=False)

        async def found(**query: Any) -> list[str]:
            params = {"q": mark, **query}
            page = (await root.client.get(USERS, params=params)).json()
            return [item["full_name"][0] for item in page["items"]]

        assert await found() == ["d", "c", "a", "b"]
        assert await found(sort="full_name") == ["a", "b", "c", "d"]
        assert await found(sort="-full_name,email", size=2) == ["d", "c"]
        assert await found(is_active="false") == ["d"]
        assert await found(is_superuser="true") == ["b"]
        assert await found(is_superuser="false", is_active="true") == ["c", "a"]
        first: dict[str, Any] = {"q": mark, "size": 3, "sort": "full_name"}
        page = (await root.client.get(USERS, params=first)).json()
        rest = await found(cursor=page["next_cursor"], size=3, sort="full_name")
        assert rest == ["d"]

    async def test_does_not_show_the_erased(self, app: FastAPI, root: Account) -> None:
        ada = await account_with_password(app)
        erase = {"password": PASSWORD}
        await ada.client.post("/api/v1/auth/delete-account", json=erase)
        for q in (ada.user.email, "erased"):
            page = (await root.client.get(USERS, params={"q": q})).json()
            assert str(ada.user.id) not in str(page)
        assert (await root.client.get(url_of(ada))).status_code == 404
        assert (await root.client.patch(url_of(ada), json={})).status_code == 404
        assert (await root.client.delete(url_of(ada))).status_code == 404

    async def test_is_for_superusers(self, app: FastAPI, client: AsyncClient) -> None:
        ada = await account(app)
        answer = await ada.client.get(USERS)
        assert complaints(answer, status=403) == []
        assert (await ada.client.get(USERS, params={"size": "x"})).status_code == 403
        assert (await client.get(USERS)).status_code == 401


class TestCreateUser:
    async def test_makes_an_account_that_signs_in(
        self, root: Account, client: AsyncClient
    ) -> None:
        new = registration(is_superuser=True)
        created = await root.client.post(USERS, json=new)
        assert created.status_code == 201
        shown = created.json()
        assert created.headers["location"] == f"{USERS}/{shown['id']}"
        assert (shown["is_active"], shown["is_superuser"]) == (True, True)
        assert created.headers["etag"]
        answer = await client.post(TOKEN, data=grant(new["email"]))
        assert answer.status_code == 200

    async def test_can_make_one_that_is_switched_off(
        self, root: Account, client: AsyncClient
    ) -> None:
        new = registration(is_active=False)
        assert (await root.client.post(USERS, json=new)).status_code == 201
        answer = await client.post(TOKEN, data=grant(new["email"]))
        assert answer.json()["code"] == "inactive_user"

    async def test_an_address_that_is_taken_is_a_conflict(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        answer = await root.client.post(USERS, json=registration(email=ada.user.email))
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "email_taken"

    async def test_is_for_superusers(self, app: FastAPI) -> None:
        ada = await account(app)
        for body in (registration(), {}, {"x": 1}):
            answer = await ada.client.post(USERS, json=body)
            assert complaints(answer, status=403) == []

    async def test_signing_up_gives_no_rights(self, client: AsyncClient) -> None:
        answer = await client.post(REGISTER, json=registration(is_superuser=True))
        assert answer.status_code == 422


class TestUpdateUser:
    async def test_switches_an_account_off_at_once_and_on_again(
        self, app: FastAPI, root: Account, client: AsyncClient
    ) -> None:
        ada = await account_with_password(app)
        off = await root.client.patch(url_of(ada), json={"is_active": False})
        assert (off.status_code, off.json()["is_active"]) == (200, False)
        assert (await ada.client.get(ME)).status_code == 401
        on = await root.client.patch(url_of(ada), json={"is_active": True})
        assert on.json()["is_active"] is True
        assert (await ada.client.get(ME)).status_code == 401  # that session has ended
        answer = await client.post(TOKEN, data=grant(ada.user.email))
        assert answer.status_code == 200

    async def test_gives_and_takes_rights_with_the_next_request(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        await root.client.patch(url_of(ada), json={"is_superuser": True})
        assert (await ada.client.get(USERS)).status_code == 200
        await root.client.patch(url_of(ada), json={"is_superuser": False})
        assert (await ada.client.get(USERS)).status_code == 403

    async def test_of_oneself_is_the_name_only(self, app: FastAPI) -> None:
        ada = await account(app)
        answer = await ada.client.patch(url_of(ada), json={"full_name": "Ada"})
        assert (answer.status_code, answer.json()["full_name"]) == (200, "Ada")
        for field in ("is_superuser", "is_active"):
            for value in (True, False):
                answer = await ada.client.patch(url_of(ada), json={field: value})
                assert complaints(answer, status=403) == []
        assert (await ada.client.get(USERS)).status_code == 403

    async def test_of_others_is_as_if_they_were_missing(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        answer = await ada.client.patch(url_of(bob), json={"full_name": "x"})
        assert complaints(answer, status=404) == []


class TestDeleteUser:
    async def test_erases_the_account(
        self, app: FastAPI, root: Account, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        answer = await root.client.delete(url_of(ada))
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await ada.client.get(ME)).status_code == 401
        assert (await root.client.get(url_of(ada))).status_code == 404
        email = "SELECT email FROM users WHERE id = $1"
        left = await owner_connection.fetchval(email, ada.user.id)
        assert left == f"{ada.user.id}@erased.invalid"

    async def test_of_oneself_takes_the_password(self, app: FastAPI) -> None:
        ada = await account(app)
        answer = await ada.client.delete(url_of(ada))
        assert complaints(answer, status=403) == []
        assert (await ada.client.get(ME)).is_success

    async def test_of_others_is_as_if_they_were_missing(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        assert complaints(await ada.client.delete(url_of(bob)), status=404) == []
