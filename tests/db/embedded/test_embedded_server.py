"""Start, join, leave and stop."""

import os
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.db.embedded.conftest import (
    Hold,
    data_folder,
    embedded,
    psql,
    server_pid,
)

ROLE = """
SELECT rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication
FROM pg_roles WHERE rolname = current_user
"""


class TestFreshStart:
    def test_the_owner_owns_the_database_and_nothing_beyond(
        self, own_home: Path
    ) -> None:
        with embedded(own_home) as postgres:
            owner = "SELECT pg_get_userbyid(datdba) FROM pg_database"
            this = f"{owner} WHERE datname = current_database()"
            assert psql(postgres, postgres.owner_url, this) == "zenith_owner"
            assert psql(postgres, postgres.owner_url, ROLE) == "f|f|f|f|f"
            made = "CREATE TABLE t (id int); SELECT count(*) FROM t"
            assert psql(postgres, postgres.owner_url, made) == "0"

    @pytest.mark.parametrize(
        "sql",
        [
            "CREATE TABLE t (id int)",
            "CREATE SCHEMA s",
            "CREATE TEMPORARY TABLE t (id int)",
            "CREATE ROLE r",
            "CREATE DATABASE d",
            "SET ROLE zenith_owner",
        ],
    )
    def test_the_application_may_make_nothing(
        self, shared: EmbeddedPostgres, sql: str
    ) -> None:
        assert "permission denied" in psql(shared, shared.app_url, sql)

    def test_the_application_has_no_attribute(self, shared: EmbeddedPostgres) -> None:
        assert psql(shared, shared.app_url, ROLE) == "f|f|f|f|f"

    def test_the_application_enters_its_own_database_only(
        self, shared: EmbeddedPostgres
    ) -> None:
        elsewhere = shared.app_url.replace("/zenith?", "/postgres?")
        assert "permission denied" in psql(shared, elsewhere, "SELECT 1")

    def test_locale_and_encoding_are_those_of_every_platform(
        self, shared: EmbeddedPostgres
    ) -> None:
        sql = "SELECT pg_encoding_to_char(encoding), datlocale FROM pg_database"
        this = f"{sql} WHERE datname = current_database()"
        assert psql(shared, shared.app_url, this) == "UTF8|C.UTF-8"

    def test_it_listens_on_no_network(self, shared: EmbeddedPostgres) -> None:
        assert psql(shared, shared.superuser_url, "SHOW listen_addresses") == ""

    def test_no_terminal_can_interrupt_it(self, used_home: Path) -> None:
        with embedded(used_home):
            pid = server_pid(used_home)
            assert pid is not None
            assert os.getsid(pid) != os.getsid(0)

    def test_values_of_rows_stay_out_of_the_log(self, own_home: Path) -> None:
        with embedded(own_home) as postgres:
            sql = "CREATE TABLE t (id text UNIQUE); INSERT INTO t SELECT 'secret'"
            psql(postgres, postgres.owner_url, sql)
            again = psql(postgres, postgres.owner_url, "INSERT INTO t SELECT 'secret'")
            assert "secret" in again
        log = (own_home / "postgres" / "postgres.log").read_text()
        assert "duplicate key" in log
        assert "secret" not in log


class TestURLs:
    async def test_asyncpg_takes_them_whatever_the_environment_says(
        self, shared: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGPORT", "1")
        connection = await asyncpg.connect(shared.app_url)
        assert await connection.fetchval("SELECT current_user") == "zenith_app"
        await connection.close()

    async def test_sqlalchemy_takes_them(self, shared: EmbeddedPostgres) -> None:
        url = make_url(shared.owner_url).set(drivername="postgresql+asyncpg")
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            user = await connection.scalar(text("SELECT current_user"))
        await engine.dispose()
        assert user == "zenith_owner"

    def test_they_are_known_inside_the_context_only(self, home: Path) -> None:
        with pytest.raises(RuntimeError, match="inside the context"):
            _ = embedded(home).owner_url


class TestSharing:
    def test_the_last_one_out_stops_the_server(
        self, used_home: Path, hold: Hold
    ) -> None:
        first = hold(used_home)
        assert first.stdout is not None
        first.stdout.readline()
        with embedded(used_home) as postgres:
            first.communicate()
            assert first.returncode == 0
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
        assert server_pid(used_home) is None
        assert not (data_folder(used_home) / "postmaster.pid").exists()

    def test_one_process_may_attach_twice(self, used_home: Path) -> None:
        with embedded(used_home) as outer:
            with embedded(used_home) as inner:
                assert inner.app_url == outer.app_url
            assert psql(outer, outer.app_url, "SELECT 1") == "1"
        assert server_pid(used_home) is None

    def test_many_first_starts_at_once_make_one_server(
        self, home: Path, hold: Hold
    ) -> None:
        holders = [hold(home) for _ in range(4)]
        urls = {h.stdout.readline() for h in holders if h.stdout is not None}
        assert len(urls) == 1
        assert all("zenith_app" in url for url in urls)
        for holder in holders:
            holder.communicate()
        assert [holder.returncode for holder in holders] == [0, 0, 0, 0]
        assert server_pid(home) is None

    def test_data_outlives_the_server(self, own_home: Path) -> None:
        with embedded(own_home) as postgres:
            psql(postgres, postgres.owner_url, "CREATE TABLE kept AS SELECT 7 AS x")
        with embedded(own_home) as postgres:
            assert psql(postgres, postgres.owner_url, "SELECT x FROM kept") == "7"

    def test_the_same_object_may_attach_again(self, used_home: Path) -> None:
        postgres = embedded(used_home)
        for _ in range(2):
            with postgres:
                assert psql(postgres, postgres.app_url, "SELECT 1") == "1"

    def test_no_lock_is_inherited_by_the_server(self, used_home: Path) -> None:
        with embedded(used_home):
            pid = server_pid(used_home)
            links = Path(f"/proc/{pid}/fd")
            if not links.exists():
                pytest.skip("needs /proc")
            opened = {link.readlink().name for link in links.iterdir()}
        assert not opened & {".lock", ".users"}


class TestFailure:
    def test_a_refused_setting_shows_the_log(self, used_home: Path) -> None:
        postgres = embedded(used_home, settings={"fsync": "off", "work_mem": "much"})
        with pytest.raises(EmbeddedPostgresError) as failure, postgres:
            pass
        assert "work_mem" in str(failure.value)
        assert str(used_home / "postgres" / "postgres.log") in str(failure.value)

    def test_another_major_version_is_named(self, hollow_home: Path) -> None:
        (data_folder(hollow_home) / "PG_VERSION").write_text("17\n")
        with pytest.raises(EmbeddedPostgresError, match="made by PostgreSQL 17"):
            embedded(hollow_home).__enter__()

    def test_a_home_that_is_a_file_is_named(self, home: Path) -> None:
        home.write_text("")
        with pytest.raises(EmbeddedPostgresError, match="choose another --home"):
            embedded(home).__enter__()

    def test_a_long_log_keeps_its_end(self, used_home: Path) -> None:
        log = used_home / "postgres" / "postgres.log"
        log.write_bytes(b"old\n" * 3_000_000)
        with embedded(used_home):
            pass
        assert log.stat().st_size < 2_000_000
        assert "ready to accept connections" in log.read_text()
