"""ETag, If-Match and If-None-Match, on users."""

import asyncio
from uuid import uuid4

import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.contract.answers import complaints
from tests.factories.users import PASSWORD, Account, account
from tests.routers.test_auth import TOKEN, grant
from tests.routers.test_user_administration import ME, USERS, url_of


@pytest.fixture
async def root(app: FastAPI) -> Account:
    return await account(app, is_superuser=True)


class TestETags:
    async def test_two_changes_of_what_was_read_once(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        read = await root.client.get(url_of(ada))
        tag = read.headers["etag"]
        assert read.headers["cache-control"] == "private, no-cache"
        mine = await ada.client.get(ME)
        assert mine.headers["etag"] == tag
        headers = {"If-Match": tag}
        patches = [
            client.patch(url, json={"full_name": "x"}, headers=headers)
            for client, url in ((ada.client, ME), (root.client, url_of(ada)))
        ]
        answers = await asyncio.gather(*patches)
        assert sorted(a.status_code for a in answers) == [200, 412]
        (stale,) = [a for a in answers if a.status_code == 412]
        assert complaints(stale, status=412) == []
        (done,) = [a for a in answers if a.status_code == 200]
        assert done.headers["etag"] == (await ada.client.get(ME)).headers["etag"] != tag

    async def test_what_is_known_is_not_sent_again(self, app: FastAPI) -> None:
        ada = await account(app)
        tag = (await ada.client.get(ME)).headers["etag"]
        for url in (ME, url_of(ada)):
            headers = {"If-None-Match": f'"other", W/{tag}'}
            answer = await ada.client.get(url, headers=headers)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == "private, no-cache"
        await ada.client.patch(ME, json={"full_name": "Ada King"})
        answer = await ada.client.get(ME, headers={"If-None-Match": tag})
        assert answer.status_code == 200

    async def test_that_of_one_account_says_nothing_of_another(
        self, app: FastAPI
    ) -> None:
        ada, bob = await account(app), await account(app)
        hers = (await ada.client.get(ME)).headers
        assert "Authorization" in hers["vary"]
        known = {"If-None-Match": hers["etag"]}
        answer = await bob.client.get(ME, headers=known)
        assert (answer.status_code, answer.json()["email"]) == (200, bob.user.email)
        match = {"If-Match": hers["etag"]}
        answer = await bob.client.patch(ME, json={"full_name": "x"}, headers=match)
        assert answer.status_code == 412

    async def test_several_may_stand_on_lines_of_their_own(self, app: FastAPI) -> None:
        ada = await account(app)
        tag = (await ada.client.get(ME)).headers["etag"]
        lines = [("If-None-Match", '"other"'), ("If-None-Match", tag)]
        assert (await ada.client.get(ME, headers=lines)).status_code == 304
        lines = [("If-Match", '"other"'), ("If-Match", tag)]
        answer = await ada.client.patch(ME, json={"full_name": "x"}, headers=lines)
        assert answer.status_code == 200

    async def test_a_change_of_nothing_keeps_it(self, app: FastAPI) -> None:
        ada = await account(app)
        tag = (await ada.client.get(ME)).headers["etag"]
        answer = await ada.client.patch(ME, json={"full_name": ada.user.full_name})
        assert answer.headers["etag"] == tag

    async def test_a_stale_delete_deletes_nothing(
        self, app: FastAPI, root: Account
    ) -> None:
        ada = await account(app)
        tag = (await root.client.get(url_of(ada))).headers["etag"]
        await ada.client.patch(ME, json={"full_name": "Ada King"})
        headers = {"If-Match": tag}
        answer = await root.client.delete(url_of(ada), headers=headers)
        assert complaints(answer, status=412) == []
        headers["If-Match"] = (await ada.client.get(ME)).headers["etag"]
        answer = await root.client.delete(url_of(ada), headers=headers)
        assert answer.status_code == 204

    async def test_what_is_missing_is_missing_whatever_it_is_compared_with(
        self, root: Account
    ) -> None:
        headers = {"If-Match": '"1"'}
        url = f"{USERS}/{uuid4()}"
        assert (await root.client.delete(url, headers=headers)).status_code == 404

    async def test_a_new_hash_of_the_same_password_is_no_change(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        ada = await account(app, password_hash=old.hash(PASSWORD))
        before = await ada.client.get(ME)
        assert (await client.post(TOKEN, data=grant(ada.user.email))).is_success
        after = await ada.client.get(ME)
        assert after.headers["etag"] == before.headers["etag"]
        assert after.json() == before.json()
