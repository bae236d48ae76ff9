"""The sessions API, from outside."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from tests.contract.answers import without_identity
from tests.factories.users import account, signed_in
from tests.faults.races import Tokens, bearer, refresh
from tests.routers.test_auth import TOKEN, grant, signed_up

ME = "/api/v1/users/me"
LOGOUT = "/api/v1/auth/logout"
SESSIONS = "/api/v1/auth/sessions"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class TestGetSessions:
    async def test_shows_where_one_is_signed_in_newest_first(
        self, client: AsyncClient
    ) -> None:
        new = await signed_up(client)
        form = grant(new["email"])
        agents = {"User-Agent": FIREFOX}
        first = Tokens.of(await client.post(TOKEN, data=form, headers=agents))
        second = Tokens.of(await client.post(TOKEN, data=form))
        page = (await client.get(SESSIONS, headers=bearer(first.access))).json()
        assert page["total"] == 2
        newest, oldest = page["items"]
        assert [newest["current"], oldest["current"]] == [False, True]
        assert oldest == {
            "id": oldest["id"],
            "device": "Firefox on Linux",
            "ip": "127.0.0.1",
            "created_at": oldest["created_at"],
            "last_used_at": oldest["created_at"],
            "expires_at": oldest["expires_at"],
            "current": True,
        }
        assert newest["device"].startswith("python-httpx2/")
        own = (await client.get(SESSIONS, headers=bearer(second.access))).json()
        assert [item["current"] for item in own["items"]] == [True, False]

    async def test_shows_neither_others_nor_ended_ones(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada, _ = await account(app), await account(app)
        ended = await signed_in(app, ada.user)
        await owner_connection.execute(
            "UPDATE user_sessions SET expires_at = now() WHERE id = $1",
            ended.session.id,
        )
        page = (await ada.client.get(SESSIONS)).json()
        assert [item["id"] for item in page["items"]] == [str(ada.session.id)]

    async def test_pages_both_ways(self, app: FastAPI) -> None:
        ada = await account(app)
        ids = [str(ada.session.id)]
        ids += [str((await signed_in(app, ada.user)).session.id) for _ in range(4)]
        query: dict[str, Any] = {}
        numbered, cursor, following = [], "", []
        for page in (1, 2, 3):
            query = {"page": page, "size": 2, "sort": "created_at"}
            answer = (await ada.client.get(SESSIONS, params=query)).json()
            assert (answer["total"], answer["pages"], answer["page"]) == (5, 3, page)
            numbered += [item["id"] for item in answer["items"]]
            if page == 1:
                following, cursor = list(numbered), answer["next_cursor"]
        while cursor:
            query = {"cursor": cursor, "size": 2, "sort": "created_at"}
            answer = (await ada.client.get(SESSIONS, params=query)).json()
            assert answer["total"] is answer["pages"] is answer["page"] is None
            following += [item["id"] for item in answer["items"]]
            cursor = answer["next_cursor"]
        assert numbered == following == ids

    async def test_a_cursor_of_another_person_is_refused(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        await signed_in(app, bob.user)
        page = (await bob.client.get(SESSIONS, params={"size": 1})).json()
        query = {"size": 1, "cursor": page["next_cursor"]}
        assert (await bob.client.get(SESSIONS, params=query)).is_success
        answer = await ada.client.get(SESSIONS, params=query)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/query/cursor"


class TestEndSession:
    async def test_ends_it_at_once(self, client: AsyncClient) -> None:
        new = await signed_up(client)
        form = grant(new["email"])
        mine, other = [Tokens.of(await client.post(TOKEN, data=form)) for _ in range(2)]
        page = (await client.get(SESSIONS, headers=bearer(mine.access))).json()
        (other_id,) = [item["id"] for item in page["items"] if not item["current"]]
        assert (await client.get(ME, headers=bearer(other.access))).is_success
        url = f"{SESSIONS}/{other_id}"
        ended = await client.delete(url, headers=bearer(mine.access))
        assert (ended.status_code, ended.content) == (204, b"")
        answer = await client.get(ME, headers=bearer(other.access))
        assert answer.status_code == 401
        assert (await refresh(client, other.refresh)).status_code == 400
        assert (await client.get(ME, headers=bearer(mine.access))).is_success
        again = await client.delete(url, headers=bearer(mine.access))
        assert again.status_code == 404

    async def test_can_be_the_current_one(self, app: FastAPI) -> None:
        ada = await account(app)
        ended = await ada.client.delete(f"{SESSIONS}/{ada.session.id}")
        assert ended.status_code == 204
        assert (await ada.client.get(ME)).status_code == 401

    async def test_others_sessions_are_as_if_they_were_not_there(
        self, app: FastAPI
    ) -> None:
        ada = await account(app)
        bob = await account(app, is_superuser=True)
        foreign = await bob.client.delete(f"{SESSIONS}/{ada.session.id}")
        missing = await bob.client.delete(f"{SESSIONS}/{uuid4()}")
        assert foreign.status_code == missing.status_code == 404
        assert without_identity(foreign) == without_identity(missing)
        assert (await ada.client.get(ME)).is_success


class TestEndOtherSessions:
    async def test_leaves_the_current_one_and_other_peoples(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        others = [await signed_in(app, ada.user) for _ in range(3)]
        assert (await ada.client.delete(SESSIONS)).status_code == 204
        for other in others:
            assert (await other.client.get(ME)).status_code == 401
        assert (await ada.client.get(ME)).is_success
        assert (await bob.client.get(ME)).is_success
        assert (await ada.client.delete(SESSIONS)).status_code == 204


class TestLogOut:
    async def test_ends_this_session_only(self, app: FastAPI) -> None:
        ada = await account(app)
        other = await signed_in(app, ada.user)
        answer = await ada.client.post(LOGOUT)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await ada.client.get(ME)).status_code == 401
        assert (await ada.client.post(LOGOUT)).status_code == 401
        assert (await other.client.get(ME)).is_success

    @pytest.mark.parametrize("body", [b"", b"{}"])
    async def test_needs_no_body(self, app: FastAPI, body: bytes) -> None:
        ada = await account(app)
        assert (await ada.client.post(LOGOUT, content=body)).status_code == 204
