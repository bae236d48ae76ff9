"""What every test may ask for: a real database, the application, a client.

One PostgreSQL runs for the whole run, shared by all of pytest's workers, each of which
has a database of its own, cloned from one that the real migrations made. Tests commit,
so each makes accounts of its own.
"""

import contextlib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from blockbuster import BlockBuster
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.embedded import EmbeddedPostgres
from app.main import create_app
from app.resources import Resources
from app.telemetry.logs import configure_logging
from tests.databases import Databases
from tests.homes import made_once
from tests.valkey import Valkey, running_valkey

HOME = pytest.StashKey[Path]()
CLIENT = ("127.0.0.1", 50000)
BASE_URL = "http://localhost"

# Durability is what the tests of the supervisor are about; the others need not wait.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
}

# What may block: log lines, small files that are read to connect or show a stack, and
# what runs before anything is served.
ALLOWED = (
    ("structlog/_output.py", "msg"),
    ("logging/__init__.py", "emit"),
    ("asyncpg/connect_utils.py", "_read_password_file"),
    ("coverage/collector.py", "lock_data"),  # where a new thread begins
    ("linecache.py", "checkcache"),
    ("linecache.py", "updatecache"),
    ("app/config.py", "_absolute"),
    ("app/config.py", "load_settings"),
    ("app/main.py", "create_app"),
    ("app/main.py", "lifespan"),
    ("app/db/migrations.py", "_upgrade"),
)


# httpx2 looks for it at every request, in every folder: it is not there.
sys.modules.setdefault("sniffio", None)  # type: ignore[arg-type]  # says "missing"

WAITING = (
    "tests/worker/",
    "tests/cli/",
    "tests/server/",
    "tests/db/embedded/",
    "tests/db/test_outage.py",
    "tests/contract/test_schemathesis.py",
    "tests/test_read_your_writes.py",
    "tests/test_readme.py",
    "tests/test_shared_limits.py",
)


def pytest_xdist_auto_num_workers() -> int:
    """Take three for two cores: many tests wait for processes of their own."""
    return (os.cpu_count() or 2) * 3 // 2


def pytest_configure(config: pytest.Config) -> None:
    """Make one home for all workers; forget settings of whoever runs the tests."""
    for name in Settings.model_fields:
        os.environ.pop(name, None)
    configure_logging(style="json", level="INFO")
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        config.stash[HOME] = Path(worker["home"])
        return
    home = Path(tempfile.mkdtemp(prefix="zenith-tests-"))
    home.chmod(0o755)  # PostgreSQL runs as another user where the tests run as root
    config.stash[HOME] = home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits for processes: the rest fills the time meanwhile."""
    items.sort(key=lambda item: not item.nodeid.startswith(WAITING))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "pytest.Config") -> None:
    node.workerinput["home"] = str(node.config.stash[HOME])  # type: ignore[attr-defined]  # xdist's


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and HOME in config.stash:
        shutil.rmtree(config.stash[HOME], ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(pytestconfig.stash[HOME], settings=FAST) as server:
        yield server


@pytest.fixture(scope="session")
def initialised_home(pytestconfig: pytest.Config) -> Path:
    """A home with an empty database, to be copied where initdb is not the point."""

    def make(home: Path) -> None:
        with EmbeddedPostgres(home, settings={"fsync": "off"}):
            pass

    return made_once(pytestconfig.stash[HOME], "initialised", make)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Valkey]:
    """A Redis for all tests of this worker, which name their keys apart."""
    with running_valkey() as server:
        yield server


@pytest.fixture(scope="session")
def databases(postgres: EmbeddedPostgres, pytestconfig: pytest.Config) -> Databases:
    return Databases(postgres, pytestconfig.stash[HOME])


@pytest.fixture(scope="session")
async def settings(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Settings]:
    """Settings of an application on this worker's database."""
    async with databases.fresh() as database:
        yield settings_for(
            DATABASE_URL=SecretStr(database.app_url),
            DATABASE_ADMIN_URL=SecretStr(database.owner_url),
            ZENITH_HOME=tmp_path_factory.mktemp("home"),
        )


def settings_for(**given: object) -> Settings:
    """Settings that say what the test is about, and nothing of the environment's."""
    chosen = {
        "SECRET_KEY": SecretStr("a test's own secret, of 32 bytes and more"),
        "PUBLIC_URL": BASE_URL,
        "DB_POOL_SIZE": 5,
        "RATE_LIMIT_ENABLED": False,  # most tests are not about it, and ask often
        **given,
    }
    return Settings(_env_file=None, **chosen)  # type: ignore[arg-type]  # checked by Pydantic


@contextlib.asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[FastAPI]:
    """Run an application's lifespan around a test."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


def client_of(app: FastAPI, **headers: str) -> AsyncClient:
    transport = ASGITransport(app, client=CLIENT)
    return AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


@pytest.fixture(scope="session")
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    async with running(settings) as app:
        yield app


@pytest.fixture
def resources(app: FastAPI) -> Resources:
    resources: Resources = app.state.resources
    return resources


@pytest.fixture
async def session(resources: Resources) -> AsyncIterator[AsyncSession]:
    """A session to prepare a test with; the test commits it."""
    async with resources.sessions() as session:
        yield session


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Somebody who is not signed in."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
async def owner_connection(
    settings: Settings,
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """A look at the rows past the application, by the role that owns them."""
    assert settings.DATABASE_ADMIN_URL is not None
    connection = await asyncpg.connect(settings.DATABASE_ADMIN_URL.get_secret_value())
    await connection.execute("SET app.system = 'on'")  # past row-level security, too
    yield connection
    await connection.close()


@pytest.fixture(autouse=True)
def no_blocking_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test in which the application blocks the event loop."""
    if request.node.get_closest_marker("may_block"):
        yield
        return
    blockbuster = watcher()
    blockbuster.activate()
    yield
    blockbuster.deactivate()


@functools.cache
def watcher() -> BlockBuster:
    blockbuster = BlockBuster("app")
    for file, function in ALLOWED:
        for blocking in blockbuster.functions.values():
            blocking.can_block_in(file, function)
    return blockbuster
