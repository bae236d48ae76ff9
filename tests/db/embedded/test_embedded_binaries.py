"""Which PostgreSQL programs are taken."""

from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError, binaries
from tests.db.embedded.conftest import embedded, psql


def make_programs(folder: Path, version: str, initdb: str = "exit 0") -> Path:
    """Write programs that only tell a version."""
    folder.mkdir(parents=True)
    postgres = f"echo 'postgres (PostgreSQL) {version}'"
    for name, script in (("postgres", postgres), ("initdb", initdb)):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    return folder


class TestChosenPrograms:
    def test_they_are_used(self, used_home: Path, open_folder: Path) -> None:
        folder = open_folder / "bin"
        folder.mkdir()
        for program in binaries.locate(None).iterdir():
            (folder / program.name).symlink_to(program)
        with embedded(used_home, bin_dir=folder) as postgres:
            assert postgres.bin_dir == folder
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"

    def test_a_folder_without_programs_is_named(self, home: Path) -> None:
        with pytest.raises(EmbeddedPostgresError, match="ZENITH_PG_BIN=/nowhere"):
            EmbeddedPostgres(home, bin_dir=Path("/nowhere")).__enter__()

    def test_programs_that_do_not_run_are_named(
        self, home: Path, open_folder: Path
    ) -> None:
        folder = make_programs(open_folder / "bin", "18.4")
        (folder / "postgres").write_text("not a program")
        with pytest.raises(EmbeddedPostgresError, match=r"cannot run .*bin/postgres"):
            embedded(home, bin_dir=folder).__enter__()

    def test_what_initdb_said_is_shown_and_nothing_stays(
        self, home: Path, open_folder: Path
    ) -> None:
        said = "echo 'could not write: No space left on device' >&2; exit 1"
        folder = make_programs(open_folder / "bin", "18.4", initdb=said)
        with pytest.raises(EmbeddedPostgresError, match="No space left on device"):
            embedded(home, bin_dir=folder).__enter__()
        assert not list((home / "postgres").glob("data*"))


class TestSystemPrograms:
    @pytest.fixture(autouse=True)
    def _no_wheel(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(binaries, "_PACKAGE", "no_such_package")
        monkeypatch.setenv("PATH", "/nowhere")

    def test_the_newest_is_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for major in ("9", "16", "17"):
            make_programs(tmp_path / major / "bin", f"{major}.2 (Debian)")
        monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", (f"{tmp_path}/*/bin",))
        assert binaries.locate(None) == tmp_path / "17" / "bin"

    def test_those_on_the_path_count(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = make_programs(tmp_path / "bin", "16beta1")
        monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", ())
        monkeypatch.setenv("PATH", str(folder))
        assert binaries.locate(None) == folder

    def test_old_ones_are_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = make_programs(tmp_path / "bin", "15.18")
        monkeypatch.setattr(binaries, "_SYSTEM_FOLDERS", (str(folder),))
        with pytest.raises(EmbeddedPostgresError, match="PostgreSQL 16 or newer"):
            binaries.locate(None)
