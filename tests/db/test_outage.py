"""A database that is away when the application starts."""

import socket
from pathlib import Path

import pytest
from pydantic import SecretStr

from app.db.embedded import EmbeddedPostgres
from app.db.migrations import migrate
from tests.conftest import client_of, running, settings_for
from tests.factories.users import registration
from tests.homes import copied


def silent(_: str) -> None:
    """Take a notice that the test is not about."""


@pytest.mark.may_block
class TestStart:
    async def test_becomes_ready_by_itself_when_the_database_comes(
        self, initialised_home: Path
    ) -> None:
        with copied(initialised_home) as folder:
            home = folder / "state"
            with EmbeddedPostgres(home) as postgres:
                url, owner_url = postgres.app_url, postgres.owner_url
            away = settings_for(DATABASE_URL=SecretStr(url), ZENITH_HOME=home)
            async with running(away) as app, client_of(app) as client:
                ready = await client.get("/health/ready")
                assert ready.status_code == 503
                assert ready.headers["retry-after"] == "1"
                assert ready.json()["checks"]["database"] == "down"
                assert str(home) not in ready.text
                refused = await client.post(
                    "/api/v1/auth/register", json=registration()
                )
                assert refused.status_code == 503
                with EmbeddedPostgres(home):
                    ready = await client.get("/health/ready")
                    assert ready.json()["checks"]["database"] == "up"
                    assert ready.json()["checks"]["schema"] == "down"
                    await migrate(owner_url, app_role="zenith_app", notice=silent)
                    ready = await client.get("/health/ready")
                    assert ready.status_code == 200
                    body = registration()
                    created = await client.post("/api/v1/auth/register", json=body)
                    assert created.status_code == 201

    async def test_a_role_that_is_refused_is_told_without_its_password(
        self, postgres: EmbeddedPostgres, tmp_path: Path
    ) -> None:
        url = postgres.app_url.replace("zenith_app@", "nobody:hidden-password@")
        settings = settings_for(DATABASE_URL=SecretStr(url), ZENITH_HOME=tmp_path)
        async with running(settings) as app, client_of(app) as client:
            ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert "hidden-password" not in ready.text
        assert ready.json()["checks"]["database"] == "down"

    async def test_a_server_that_never_answers_does_not_stop_the_start(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The pool's patience ends before that of the connection which it waits for.
        monkeypatch.setattr("app.db.reader.POOL_SECONDS", 0.1)
        monkeypatch.setattr("app.db.connections.CONNECT_SECONDS", 0.5)
        with socket.create_server(("127.0.0.1", 0)) as silent_server:
            port = silent_server.getsockname()[1]
            url = f"postgresql://app:any@127.0.0.1:{port}/zenith"
            settings = settings_for(DATABASE_URL=SecretStr(url), ZENITH_HOME=tmp_path)
            async with running(settings) as app, client_of(app) as client:
                assert (await client.get("/health/live")).status_code == 200
                assert (await client.get("/health/ready")).status_code == 503
