"""``zenith up``, as a newcomer meets it."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import app
from tests.cli.forks import Forks
from tests.factories.users import registration
from tests.homes import copied
from tests.processes import Running, new_home

REGISTER = "/api/v1/auth/register"


PASSWORD = "a password the operator chose"


@pytest.fixture
def home() -> Iterator[Path]:
    with new_home() as folder:
        yield folder


@pytest.fixture(scope="module")
def up_home(migrated_state: Path) -> Iterator[Path]:
    with copied(migrated_state) as folder:
        yield folder


@pytest.fixture(scope="module")
def up(up_home: Path) -> Iterator[Running]:
    """One for several tests, which leave it as well as they found it."""
    given = {"FIRST_SUPERUSER_PASSWORD": PASSWORD}
    with Running("up", home=up_home, **given) as server:
        server.ready()
        yield server


def postmaster_pid(home: Path) -> Path:
    return home / "state" / "postgres" / "data" / "postmaster.pid"


def children(server: Running) -> set[int]:
    return {child.pid for child in psutil.Process(server.process.pid).children()}


class TestUp:
    def test_first_start_shows_the_way_in_and_the_password_once(
        self, home: Path
    ) -> None:
        with Running("up", home=home) as first:
            client = first.ready()
            password = first.wait_for(r"Password +(\S+)").group(1)
            form = {
                "grant_type": "password",
                "username": "admin@example.com",
                "password": password,
            }
            token = client.post("/api/v1/auth/token", data=form).json()["access_token"]
            headers = {"Authorization": f"Bearer {token}"}
            me = client.get("/api/v1/users/me", headers=headers)
            assert me.json()["is_superuser"] is True
            assert first.stop(signal.SIGINT) == 0
            assert "Stopped." in first.output
        assert not postmaster_pid(home).exists()
        with Running("up", home=home) as second:
            second.ready()
            assert "Password" not in second.output
            assert password not in second.output
            assert second.stop() == 0

    def test_a_given_password_is_never_shown(self, up: Running) -> None:
        assert PASSWORD not in up.output
        assert "as you have set it" in up.output

    def test_a_second_one_on_the_same_home_says_where_the_first_is(
        self, up: Running, up_home: Path, forks: Forks
    ) -> None:
        second = forks.run("up", "--port", "0", home=up_home)
        assert second.returncode == 2
        assert second.stderr.count("\n") == 1
        where = f"already up in {up_home / 'state'}, at {up.url()}"
        assert where in second.stderr
        assert up.process.poll() is None

    def test_a_taken_port_is_one_clear_line(self, home: Path, forks: Forks) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            result = forks.run("up", "--port", str(port), home=home)
        assert result.returncode == 2
        assert result.stderr == (
            f"zenith: Port {port} is in use; choose another with --port.\n"
        )

    def test_what_was_acknowledged_survives_a_kill(self, migrated_home: Path) -> None:
        with Running("up", home=migrated_home) as first:
            client = first.ready()
            body = registration()
            assert client.post(REGISTER, json=body).status_code == 201
            first.process.kill()
            first.process.wait()
        with Running("up", home=migrated_home) as second:
            client = second.ready()
            assert client.post(REGISTER, json=body).status_code == 409
            assert second.stop(signal.SIGINT) == 0
        assert not postmaster_pid(migrated_home).exists()

    def test_stopping_while_it_starts_leaves_nothing_running(self, home: Path) -> None:
        with Running("up", home=home) as server:
            server.wait_for("Starting PostgreSQL")
            assert server.stop() == 0
        assert not postmaster_pid(home).exists()

    def test_a_dead_database_comes_back_by_itself(
        self, up: Running, up_home: Path
    ) -> None:
        client = up.ready()
        pid = int(postmaster_pid(up_home).read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        up.ready()
        assert client.post(REGISTER, json=registration()).status_code == 201

    def test_reload_starts_again_when_code_changes(self, migrated_home: Path) -> None:
        with Running("up", "--reload", home=migrated_home) as server:
            server.ready()
            before = children(server)
            Path(app.__file__).touch()
            server.wait_until(lambda: children(server) - before)
            server.ready()
            assert server.stop(signal.SIGINT) == 0
        assert not postmaster_pid(migrated_home).exists()

    def test_a_wrong_setting_is_one_clear_line(self, home: Path, forks: Forks) -> None:
        result = forks.run("up", home=home, DATABASE_URI="postgresql://secret@host/db")
        assert result.returncode == 2
        assert result.stderr == (
            "zenith: DATABASE_URI: no such setting; did you mean DATABASE_URL?\n"
        )

    def test_an_unknown_option_is_an_error(self, home: Path, forks: Forks) -> None:
        result = forks.run("up", "--no-such-option", home=home)
        assert result.returncode == 2
        assert re.search("No such option", result.stderr)
