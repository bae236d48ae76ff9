"""One's data as a file: asked for, made, fetched, and gone in the end."""

import asyncio
from uuid import uuid4

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.config import Settings
from app.db.connections import Connection
from tests.conftest import client_of, running
from tests.contract.answers import complaints
from tests.factories.api_keys import api_key
from tests.factories.data_exports import (
    EXPORT,
    fetched,
    files_of,
    made,
    make_exports,
    pending,
)
from tests.factories.organizations import tenant
from tests.factories.support import acting_as
from tests.factories.users import PASSWORD, Account, account, account_with_password
from tests.valkey import free_port

DELETE = "/api/v1/auth/delete-account"


async def jobs_of(who: Account, owner: Connection) -> int:
    """Count the jobs that put their data together and are not done, or are held."""
    count: int = await owner.fetchval(
        "SELECT count(*) FROM jobs.queue WHERE entrypoint = 'data_exports.make'"
        " AND status <> 'successful'"
        " AND convert_from(payload, 'UTF8')::jsonb ->> 'user_id' = $1",
        str(who.user.id),
    )
    return count


async def rows_of(who: Account, owner: Connection) -> int:
    count = "SELECT count(*) FROM data_exports WHERE user_id = $1"
    found: int = await owner.fetchval(count, who.user.id)
    return found


class TestRequest:
    async def test_is_made_once_however_often_it_is_asked_for(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        answers = await asyncio.gather(*(ada.client.get(EXPORT) for _ in range(10)))
        told = {tuple(pending(answer).values()) for answer in answers}
        assert len(told) == 1
        assert tuple(pending(await ada.client.get(EXPORT)).values()) in told
        assert await jobs_of(ada, owner_connection) == 1
        assert await rows_of(ada, owner_connection) == 1
        await make_exports(app)
        documents = [fetched(await ada.client.get(EXPORT)) for _ in range(2)]
        assert documents[0] == documents[1]

    async def test_is_for_the_person_only(self, app: FastAPI) -> None:
        acme = await tenant(app)
        program = await api_key(app, acme, acme.owner)
        acting = (await acting_as(app, acme.owner)).client
        assert (await acting.get("/api/v1/users/me")).status_code == 200
        answer = await acting.get(EXPORT)
        assert complaints(answer, status=403) == []
        assert answer.json()["code"] == "forbidden"
        answer = await program.client.get(EXPORT)
        assert complaints(answer, status=403) == []
        assert answer.json()["code"] == "user_required"
        assert complaints(await client_of(app).get(EXPORT), status=401) == []

    async def test_begins_a_new_one_when_the_file_is_lost(
        self, app: FastAPI, settings: Settings
    ) -> None:
        ada = await account(app)
        first = await made(app, ada)
        (lost,) = files_of(ada, settings)
        lost.unlink()
        answers = await asyncio.gather(*(ada.client.get(EXPORT) for _ in range(3)))
        assert len({pending(answer)["requested_at"] for answer in answers}) == 1
        await make_exports(app)
        again = fetched(await ada.client.get(EXPORT))
        assert again["exported_at"] > first["exported_at"]
        (file,) = files_of(ada, settings)
        assert file.name != lost.name

    async def test_begins_a_new_one_when_it_has_expired(
        self, app: FastAPI, settings: Settings, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        first = await made(app, ada)
        (before,) = files_of(ada, settings)
        await owner_connection.execute(
            "UPDATE data_exports SET expires_at = now() WHERE user_id = $1", ada.user.id
        )
        second = await made(app, ada)
        assert second["exported_at"] > first["exported_at"]
        (after,) = files_of(ada, settings)
        assert before.name != after.name
        assert await rows_of(ada, owner_connection) == 1

    async def test_is_begun_three_times_a_day(
        self, settings: Settings, owner_connection: Connection
    ) -> None:
        secret = SecretStr(uuid4().hex)
        changes = {"RATE_LIMIT_ENABLED": True, "SECRET_KEY": secret}
        async with running(settings.model_copy(update=changes)) as app:
            ada = await account(app)
            for _ in range(3):
                pending(await ada.client.get(EXPORT))
                pending(await ada.client.get(EXPORT))  # which counts for nothing
                gone = "DELETE FROM data_exports WHERE user_id = $1"
                await owner_connection.execute(gone, ada.user.id)
            answer = await ada.client.get(EXPORT)
            assert complaints(answer, status=429) == []
            assert int(answer.headers["retry-after"]) > 80_000
            pending(await (await account(app)).client.get(EXPORT))

    async def test_tells_when_the_storage_is_away(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.integrations.storage.objects.RETRIES", 0)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "nobody's")
        async with running(settings) as app:
            ada = await account(app)
            await made(app, ada)
        endpoint = f"http://127.0.0.1:{free_port()}"
        url = SecretStr(f"s3://bucket?endpoint={endpoint}&region=x")
        async with running(settings.model_copy(update={"STORAGE_URL": url})) as app:
            answer = await client_of(app, Authorization=f"Bearer {ada.token}").get(
                EXPORT
            )
            assert complaints(answer, status=503) == []


class TestEnd:
    async def test_goes_with_the_account(
        self, app: FastAPI, settings: Settings, owner_connection: Connection
    ) -> None:
        ada = await account_with_password(app)
        await made(app, ada)
        assert len(files_of(ada, settings)) == 1
        answer = await ada.client.post(DELETE, json={"password": PASSWORD})
        assert answer.status_code == 204
        assert await rows_of(ada, owner_connection) == 0
        await make_exports(app)
        assert files_of(ada, settings) == []

    @pytest.mark.parametrize("how", ["erased", "deactivated"])
    async def test_is_not_made_for_who_is_no_more(
        self,
        app: FastAPI,
        settings: Settings,
        owner_connection: Connection,
        how: str,
    ) -> None:
        ada, superuser = await account(app), await account(app, is_superuser=True)
        pending(await ada.client.get(EXPORT))
        url = f"/api/v1/users/{ada.user.id}"
        if how == "erased":
            answer = await superuser.client.delete(url)
        else:
            answer = await superuser.client.patch(url, json={"is_active": False})
        assert answer.is_success
        await make_exports(app)
        assert files_of(ada, settings) == []
        assert await rows_of(ada, owner_connection) == 0
        assert await jobs_of(ada, owner_connection) == 0  # none is held
