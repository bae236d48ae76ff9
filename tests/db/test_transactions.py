"""One request, one transaction, committed before the response."""

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher
from fastapi import FastAPI
from pydantic import SecretStr

from app.config import Settings
from app.db.repositories.users import Credentials, UserRepository
from app.models.users import User
from tests.conftest import client_of, running, settings_for
from tests.databases import Database, Databases
from tests.factories.users import account, registration

REGISTER = "/api/v1/auth/register"


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh() as database:
        yield database


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
def own_settings(database: Database, settings: Settings) -> Settings:
    return settings_for(
        DATABASE_URL=SecretStr(database.app_url), ZENITH_HOME=settings.ZENITH_HOME
    )


async def fail_at_commit(owner: Any, *, times: int, sqlstate: str) -> None:
    """Let the first commits of new users fail; a sequence counts past rollbacks."""
    await owner.execute(
        f"""
        CREATE SEQUENCE attempts;
        GRANT USAGE ON attempts TO zenith_app;
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
          IF nextval('attempts') <= {times} THEN
            RAISE EXCEPTION 'refused' USING ERRCODE = '{sqlstate}';
          END IF;
          RETURN NULL;
        END $$;
        CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON users
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail();
        """
    )


async def attempts(owner: Any) -> int:
    return int(await owner.fetchval("SELECT last_value FROM attempts"))


async def count_users(owner: Any) -> int:
    return int(await owner.fetchval("SELECT count(*) FROM users"))


class TestCommit:
    async def test_a_commit_that_fails_is_no_success(
        self, own_settings: Settings, owner: Any
    ) -> None:
        await fail_at_commit(owner, times=1, sqlstate="P0001")
        async with running(own_settings) as app, client_of(app) as client:
            response = await client.post(REGISTER, json=registration())
        assert response.status_code == 500
        assert response.json()["code"] == "internal_error"
        assert "refused" not in response.text
        assert await count_users(owner) == 0

    async def test_another_connection_sees_the_row_when_the_201_arrives(
        self, app: FastAPI, owner_connection: Any
    ) -> None:
        body = registration()
        seen: list[tuple[int, int]] = []

        async def look(scope: Any, receive: Any, send: Any) -> None:
            async def send_and_look(message: MutableMapping[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    found = await owner_connection.fetchval(
                        "SELECT count(*) FROM users WHERE email = $1", body["email"]
                    )
                    seen.append((message["status"], found))
                await send(message)

            await app(scope, receive, send_and_look)

        async with client_of(look) as client:  # type: ignore[arg-type]  # an ASGI application
            await client.post(REGISTER, json=body)
        assert seen == [(201, 1)]

    async def test_an_error_rolls_back(self, app: FastAPI) -> None:
        ada = await account(app)
        body = registration(email=ada.user.email)
        async with client_of(app) as client:
            response = await client.post(REGISTER, json=body)
        assert response.status_code == 409


class TestRunningAgain:
    @pytest.mark.parametrize("sqlstate", ["40001", "40P01"])
    async def test_a_conflict_that_passes_is_not_seen(
        self, own_settings: Settings, owner: Any, sqlstate: str
    ) -> None:
        await fail_at_commit(owner, times=3, sqlstate=sqlstate)
        async with running(own_settings) as app, client_of(app) as client:
            response = await client.post(REGISTER, json=registration())
        assert response.status_code == 201
        assert await attempts(owner) == 4
        assert await count_users(owner) == 1

    async def test_a_conflict_that_stays_is_503(
        self, own_settings: Settings, owner: Any
    ) -> None:
        await fail_at_commit(owner, times=99, sqlstate="40001")
        async with running(own_settings) as app, client_of(app) as client:
            response = await client.post(REGISTER, json=registration())
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1"
        assert await attempts(owner) == 4

    async def test_what_does_not_pass_is_not_run_again(
        self, own_settings: Settings, owner: Any
    ) -> None:
        await fail_at_commit(owner, times=99, sqlstate="23514")
        async with running(own_settings) as app, client_of(app) as client:
            response = await client.post(REGISTER, json=registration())
        assert response.status_code == 409
        assert await attempts(owner) == 1

    async def test_killed_connections_are_not_seen(
        self, own_settings: Settings, database: Database
    ) -> None:
        async with running(own_settings) as app:
            ada = await account(app)
            for _ in range(3):
                await kill_connections(database)
                read = await ada.client.get("/api/v1/users/me")
                assert read.status_code == 200
                await kill_connections(database)
                written = await ada.client.patch(
                    "/api/v1/users/me", json={"full_name": "Ada"}
                )
                assert written.status_code == 200


async def kill_connections(database: Database) -> None:
    """End every connection of the application, as a failover would."""
    superuser = await asyncpg.connect(database.superuser_url)
    killed = await superuser.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = 'zenith_app' AND datname = current_database()"
    )
    assert killed
    await superuser.close()


class TestSigningInAgain:
    async def test_a_form_is_read_again_when_its_request_is_run_again(
        self, own_settings: Settings, database: Database
    ) -> None:
        body = registration()
        form = {
            "grant_type": "password",
            "username": body["email"],
            "password": body["password"],
        }
        outdated = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        async with running(own_settings) as app, client_of(app) as client:
            await client.post(REGISTER, json=body)
            changes = {"password_hash": outdated.hash(body["password"])}
            async with app.state.resources.sessions.begin() as session:
                await session.execute(sa.update(User).values(**changes))
            await kill_connections(database)
            response = await client.post("/api/v1/auth/token", data=form)
            assert response.status_code == 200
            async with app.state.resources.sessions() as session:
                stored = await session.scalar(sa.select(User.password_hash))
            assert stored != changes["password_hash"]

    async def test_a_password_that_was_changed_meanwhile_stays(
        self, own_settings: Settings
    ) -> None:
        async with running(own_settings) as app:
            ada = await account(app, password_hash="the new one")
            verified = Credentials(
                id=ada.user.id,
                email=ada.user.email,
                full_name=ada.user.full_name,
                password_hash="the old one",
                password_version=1,
                is_active=True,
            )
            async with app.state.resources.sessions.begin() as session:
                await UserRepository(session).replace_hash(verified, "rehashed old one")
            async with app.state.resources.sessions() as session:
                user = await UserRepository(session).lock(ada.user.id)
            assert user.password_hash == "the new one"


class TestWaiting:
    async def test_an_exhausted_pool_is_503(
        self, own_settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.db.engine.POOL_SECONDS", 0.1)
        small = own_settings.model_copy(
            update={"DB_POOL_SIZE": 1, "DB_MAX_OVERFLOW": 0}
        )
        async with running(small) as app, client_of(app) as client:
            async with app.state.resources.engine.connect():
                response = await client.post(REGISTER, json=registration())
            assert response.status_code == 503
            assert response.headers["retry-after"] == "1"
            response = await client.post(REGISTER, json=registration())
            assert response.status_code == 201

    async def test_a_locked_table_is_503(
        self, own_settings: Settings, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.db.connections.LOCK_SECONDS", 0.1)
        async with running(own_settings) as app, client_of(app) as client:
            async with owner.transaction():
                await owner.execute("LOCK TABLE users")
                response = await client.post(REGISTER, json=registration())
            assert response.status_code == 503
            response = await client.post(REGISTER, json=registration())
            assert response.status_code == 201

    async def test_a_server_that_stopped_answering_is_503(
        self, own_settings: Settings, owner: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.db.connections._CLIENT_SECONDS", 0.2)
        async with running(own_settings) as app:
            ada = await account(app)
            async with owner.transaction():
                await owner.execute("LOCK TABLE users")
                read = await ada.client.get("/api/v1/users/me")
            assert read.status_code == 503
            assert (await ada.client.get("/api/v1/users/me")).status_code == 200
