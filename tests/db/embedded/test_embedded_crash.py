"""What holds when processes are killed."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from app.db.embedded.account import Account
from tests.db.embedded.conftest import (
    Hold,
    data_folder,
    embedded,
    psql,
    server_pid,
    wait_until,
)


@pytest.fixture
def stranger(home: Path) -> Iterator[int]:
    """Give a live process that PostgreSQL itself would take for its server."""
    account = Account.for_new_cluster()
    process = account.spawn("/bin/sleep", "600", log=home.parent / "stranger.log")
    yield process.pid
    assert process.poll() is None, "the stranger was killed"
    process.kill()
    process.wait()


def kill_server(home: Path) -> int:
    pid = server_pid(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    return pid


def wait_for_another_server(home: Path, killed: int) -> None:
    wait_until(lambda: server_pid(home) not in (None, killed))


def psql_process(
    postgres: EmbeddedPostgres, url: str, sql: str
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [postgres.bin_dir / "psql", "-XAtqc", sql, url], stderr=subprocess.DEVNULL
    )


class TestKilledHolder:
    def test_its_server_is_joined_and_stopped_by_the_next(
        self, used_home: Path, hold: Hold
    ) -> None:
        holder = hold(used_home)
        assert holder.stdout is not None
        holder.stdout.readline()
        pid = server_pid(used_home)
        holder.kill()
        holder.wait()
        with embedded(used_home) as postgres:
            assert server_pid(used_home) == pid
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
        assert server_pid(used_home) is None

    def test_it_does_not_count_as_attached(self, used_home: Path, hold: Hold) -> None:
        with embedded(used_home):
            holder = hold(used_home)
            assert holder.stdout is not None
            holder.stdout.readline()
            holder.kill()
            holder.wait()
        assert server_pid(used_home) is None

    @pytest.mark.parametrize("after", [0.3, 0.7, 1.1, 1.5])
    def test_a_first_start_can_be_cut_anywhere(
        self, home: Path, hold: Hold, after: float
    ) -> None:
        holder = hold(home)
        try:
            holder.wait(after)
        except subprocess.TimeoutExpired:
            holder.kill()
        with embedded(home) as postgres:
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
            assert psql(postgres, postgres.owner_url, "CREATE TABLE t ()") == ""
        assert server_pid(home) is None


class TestKilledServer:
    def test_it_is_started_again_with_its_data(self, own_home: Path) -> None:
        notices: list[str] = []
        with embedded(own_home, notice=notices.append) as postgres:
            psql(postgres, postgres.owner_url, "CREATE TABLE kept AS SELECT 7 AS x")
            wait_for_another_server(own_home, kill_server(own_home))
            kept = "SELECT x FROM kept"
            wait_until(lambda: psql(postgres, postgres.owner_url, kept) == "7")
        assert notices == ["PostgreSQL died and is started again."]
        assert server_pid(own_home) is None

    def test_one_of_many_holders_starts_it_again(
        self, used_home: Path, hold: Hold
    ) -> None:
        with embedded(used_home) as postgres:
            for _ in range(2):
                holder = hold(used_home)
                assert holder.stdout is not None
                holder.stdout.readline()
            for _ in range(3):
                wait_for_another_server(used_home, kill_server(used_home))
                wait_until(lambda: psql(postgres, postgres.app_url, "SELECT 1") == "1")

    def test_a_backend_that_computes_does_not_hold_up_the_next_server(
        self, used_home: Path
    ) -> None:
        loop = "DO 'BEGIN FOR i IN 1..2000000000 LOOP END LOOP; END'"
        active = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DO%'"
        with embedded(used_home) as postgres:
            with psql_process(postgres, postgres.app_url, loop) as busy:
                wait_until(
                    lambda: psql(postgres, postgres.superuser_url, active) == "1"
                )
                kill_server(used_home)
                wait_until(lambda: psql(postgres, postgres.app_url, "SELECT 1") == "1")
            assert busy.returncode != 0

    def test_leaving_at_once_repairs_nothing(self, used_home: Path) -> None:
        with embedded(used_home):
            kill_server(used_home)
        assert server_pid(used_home) is None

    def test_failed_repairs_are_told_and_tried_again(self, own_home: Path) -> None:
        notices: list[str] = []
        with embedded(own_home, notice=notices.append) as postgres:
            version = data_folder(own_home) / "PG_VERSION"
            version.write_text("17\n")
            kill_server(own_home)
            wait_until(lambda: any("PostgreSQL 17" in notice for notice in notices))
            version.write_text("18\n")
            wait_until(lambda: psql(postgres, postgres.app_url, "SELECT 1") == "1")


class TestStaleLockFile:
    @pytest.mark.parametrize("name", ["postmaster.pid", ".s.PGSQL.5432.lock"])
    def test_a_reused_process_id_is_not_the_server(
        self, used_home: Path, stranger: int, name: str
    ) -> None:
        data = data_folder(used_home)
        file = data / name
        file.write_text(f"{stranger}\n{data}\n1795329316\n5432\n.\n\n")
        Account.of_cluster(data).own(file)
        with embedded(used_home) as postgres:
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
            assert server_pid(used_home) not in (None, stranger)

    @pytest.mark.parametrize("content", ["", "rubbish\n", "999999999999999999999\n"])
    def test_an_unreadable_one_is_removed(self, used_home: Path, content: str) -> None:
        file = data_folder(used_home) / "postmaster.pid"
        file.write_text(content)
        Account.of_cluster(data_folder(used_home)).own(file)
        os.utime(file, (1, 1))
        with embedded(used_home) as postgres:
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"

    def test_a_data_folder_that_is_no_cluster_is_kept(self, hollow_home: Path) -> None:
        (data_folder(hollow_home) / "PG_VERSION").unlink()
        with pytest.raises(EmbeddedPostgresError, match="unknown"):
            embedded(hollow_home).__enter__()
        assert (data_folder(hollow_home) / "base").exists()
