"""Metrics, of one process and summed over workers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.config import Settings
from app.telemetry.metrics import MULTIPROCESS_DIR, exposition
from tests.conftest import client_of, running
from tests.factories.users import account

WORK = """
from app.telemetry import metrics
metrics.observe_request("GET", "/health", 200, 0.001)
metrics.set_connections_in_use(sessions=3, reader=0)
"""


def work(folder: Path) -> None:
    """Be a worker that answers one request and dies without a farewell."""
    environment = {**os.environ, MULTIPROCESS_DIR: str(folder)}
    subprocess.run([sys.executable, "-c", WORK], env=environment, check=True)


class TestExposition:
    async def test_names_routes_by_their_template(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ada = await account(app)
        await ada.client.get(f"/api/v1/users/{ada.user.id}")
        await client.get("/no/such/path")
        text = (await client.get("/metrics")).text
        assert 'route="/api/v1/users/{user_id}",status="200"' in text
        assert 'route="unmatched",status="404"' in text
        assert str(ada.user.id) not in text
        assert "/no/such/path" not in text
        assert 'db_connections_in_use{lane="reader"}' in text

    async def test_unknown_methods_make_one_series(self, client: AsyncClient) -> None:
        for method in ("BREW", "WHEN"):
            await client.request(method, "/health")
        text = (await client.get("/metrics")).text
        assert 'method="other"' in text
        assert "BREW" not in text

    @pytest.mark.may_block
    async def test_adds_workers_up_and_forgets_the_gauges_of_dead_ones(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work(tmp_path)
        work(tmp_path)
        monkeypatch.setenv(MULTIPROCESS_DIR, str(tmp_path))
        text = (await exposition()).decode()
        line = 'http_requests_total{method="GET",route="/health",status="200"} 2.0'
        assert line in text
        assert "db_connections_in_use{" not in text

    @pytest.mark.may_block
    async def test_a_worker_that_died_while_it_began_breaks_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work(tmp_path)
        (tmp_path / "counter_99999.db").touch()
        monkeypatch.setenv(MULTIPROCESS_DIR, str(tmp_path))
        assert b"http_requests_total{" in await exposition()


class TestAccess:
    @pytest.mark.parametrize("given", ["", "Bearer wrong", "Bearer é", "the-token"])
    async def test_a_token_keeps_others_out(
        self, settings: Settings, given: str
    ) -> None:
        guarded = settings.model_copy(update={"METRICS_TOKEN": SecretStr("the-token")})
        async with running(guarded) as app, client_of(app) as client:
            headers = {b"Authorization": given.encode()}
            refused = await client.get("/metrics", headers=headers)
            headers = {b"Authorization": b"Bearer the-token"}
            served = await client.get("/metrics", headers=headers)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert served.status_code == 200
        assert served.headers["content-type"].startswith("text/plain; version=")
