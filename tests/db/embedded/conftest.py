"""Homes for embedded databases, and processes that hold them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres
from app.db.embedded.account import Account
from app.db.embedded.cluster import STATE
from app.db.embedded.processes import postmaster
from tests.homes import copy

PROJECT = Path(__file__).parents[3]

# Another user could not write what coverage measures.
UNMEASURED = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}

Holder = subprocess.Popen[str]
Hold = Callable[..., Holder]
MakeHome = Callable[[str], Path]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder that other users can reach; root's tmp_path is closed to them."""
    folder = Path(tempfile.mkdtemp(prefix="zenith-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def make_home(open_folder: Path) -> Iterator[MakeHome]:
    """Name homes that are cleaned whatever a test leaves there."""
    homes: list[Path] = []

    def make(name: str) -> Path:
        homes.append(open_folder / name)
        return homes[-1]

    yield make
    for home in homes:
        if home.is_dir():
            _clean(home)


@pytest.fixture
def home(make_home: MakeHome) -> Path:
    """Name a home in which nothing is yet."""
    return make_home("home")


@pytest.fixture(scope="session")
def _kept_home(initialised_home: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="zenith-test-", dir="/tmp"))
    folder.chmod(0o755)
    copy(initialised_home, folder / "home")
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def used_home(_kept_home: Path) -> Iterator[Path]:
    """Give a home that has a database already, to start and to kill.

    The next test has the same one: what is changed there needs ``own_home``.
    """
    yield _kept_home
    _clean(_kept_home)


@pytest.fixture
def own_home(initialised_home: Path, home: Path) -> Path:
    """Give a home that has a database already, which a test may change."""
    copy(initialised_home, home)
    return home


@pytest.fixture
def hollow_home(home: Path) -> Path:
    """Give a home with the looks of a database, for those that are not started."""
    data = home / "postgres" / "data"
    (data / "base").mkdir(parents=True)
    (data / "PG_VERSION").write_text("18\n")
    for folder in (home, home / "postgres"):
        folder.chmod(0o711)
    Account.for_new_cluster().own(data)
    return home


@pytest.fixture
def shared(used_home: Path) -> Iterator[EmbeddedPostgres]:
    """Give a server to a test that changes nothing."""
    with embedded(used_home) as postgres:
        yield postgres


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start processes that attach; each has attached, or failed, when it is given."""
    holders: list[Holder] = []

    def start(home: Path, *arguments: str) -> Holder:
        holder = subprocess.Popen(
            [sys.executable, "-m", "tests.db.embedded.holder", str(home), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
            env=UNMEASURED,
        )
        holders.append(holder)
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


def embedded(home: Path, **options: object) -> EmbeddedPostgres:
    """Leave out the syncs that only a power failure would miss."""
    settings = {"fsync": "off"}
    return EmbeddedPostgres(home, **{"settings": settings, **options})  # type: ignore[arg-type]  # as the test gives them


def data_folder(home: Path) -> Path:
    record = home / "postgres" / "location"
    folder = Path(record.read_text()) if record.exists() else home / "postgres"
    return folder / "data"


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait as long as a slow machine may need."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def server_pid(home: Path) -> int | None:
    return postmaster(data_folder(home))


def psql(postgres: EmbeddedPostgres, url: str, sql: str) -> str:
    """Run SQL with the program of the same PostgreSQL; return rows or the error."""
    done = subprocess.run(
        [postgres.bin_dir / "psql", "-XAtq", "-c", sql, url],
        capture_output=True,
        text=True,
        check=False,
    )
    return (done.stdout or done.stderr).strip()


def _clean(home: Path) -> None:
    pid = server_pid(home)
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGQUIT)
        wait_until(lambda: server_pid(home) is None)
    folder = data_folder(home).parent
    if folder != home / "postgres":
        shutil.rmtree(folder, ignore_errors=True)
        with suppress(OSError):
            STATE.rmdir()
