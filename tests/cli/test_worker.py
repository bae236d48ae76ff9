"""``zenith worker`` as a process of its own."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from tests.conftest import client_of, running, settings_for
from tests.databases import Database, Databases
from tests.factories.users import registration
from tests.processes import RunningWorker, new_home
from tests.valkey import free_port

SECRET_KEY = "the same secret in both of the processes"
TELLS_OF_GARBAGE = """
import atexit, gc
atexit.register(lambda: print("garbage is collected:", gc.isenabled()))
"""


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh() as database:
        yield database


@pytest.fixture
async def server(database: Database, tmp_path: Path) -> AsyncIterator[FastAPI]:
    settings = settings_for(
        DATABASE_URL=SecretStr(database.app_url),
        SECRET_KEY=SecretStr(SECRET_KEY),
        ZENITH_HOME=tmp_path,
    )
    async with running(settings) as app:
        yield app


@pytest.mark.may_block
async def test_a_second_signal_is_the_end(database: Database) -> None:
    with (
        new_home() as home,
        RunningWorker("worker", home=home, DATABASE_URL=database.app_url) as worker,
    ):
        worker.wait_for("working")
        # Stopped, it takes both at once when it goes on; the first alone would be 0.
        worker.process.send_signal(signal.SIGSTOP)
        worker.process.send_signal(signal.SIGINT)
        worker.process.send_signal(signal.SIGTERM)
        assert worker.stop(signal.SIGCONT) == -signal.SIGALRM


@pytest.mark.may_block
async def test_does_what_another_process_asks_for(
    server: FastAPI, database: Database
) -> None:
    port = free_port()
    async with client_of(server) as client:
        body = registration()
        answer = await client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201
    with (
        new_home() as home,
        RunningWorker(
            "worker",
            "--metrics-port",
            str(port),
            home=home,
            prelude=TELLS_OF_GARBAGE,
            DATABASE_URL=database.app_url,
            SECRET_KEY=SECRET_KEY,
        ) as worker,
    ):
        mails = home / "state" / "mail"
        worker.wait_until(lambda: list(mails.glob("*welcome*.eml")))
        worker.wait_for("outcome=done")
        metrics = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
        assert 'jobs_total{outcome="done",type="mail.send"} 1.0' in metrics
        assert worker.stop() == 0
        assert "Stopped." in worker.output
        assert "garbage is collected: True" in worker.output
