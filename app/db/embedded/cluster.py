"""Where the database lies, and who may run it there."""

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.errors import EmbeddedPostgresError

STATE = Path("/var/lib/zenith")

_TRAVERSABLE = 0o711
_PRIVATE = 0o700


@dataclass(frozen=True, slots=True)
class Cluster:
    """A data directory and the user that owns it."""

    folder: Path
    """Holds the data directory and copied programs; the account can reach it."""
    account: Account

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def exists(self) -> bool:
        # It appears by a rename, so it is never half made.
        return self.data.exists()


def make_control_folder(home: Path) -> Path:
    """Make the folder of locks and log, and the home if it is missing."""
    mode = _TRAVERSABLE if os.geteuid() == 0 else _PRIVATE
    control = home / "postgres"
    for folder in (home, control):
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            folder.chmod(mode)
    return control


def find_cluster(control: Path, notice: Callable[[str], None]) -> Cluster:
    """Find the cluster, or choose its place; only one process at a time may ask."""
    folder = _recorded_folder(control) or control
    data = folder / "data"
    account = Account.of_cluster(data) if data.exists() else Account.for_new_cluster()
    if account.is_current or account.can_enter(folder):
        return Cluster(folder, account)
    if data.exists():
        raise EmbeddedPostgresError(
            f"User id {account.uid}, who runs the database in {data}, can no longer"
            " enter that folder: chmod o+x the folders above, or set DATABASE_URL."
        )
    elsewhere = _choose_state_folder(control)
    notice(
        f"Root keeps the database in {elsewhere}: PostgreSQL runs as user id"
        f" {account.uid}, which cannot enter {control.parent}."
    )
    return Cluster(elsewhere, account)


def _recorded_folder(control: Path) -> Path | None:
    record = control / "location"
    try:
        folder = Path(record.read_text())
    except FileNotFoundError:
        return None
    if not folder.is_dir():
        raise EmbeddedPostgresError(
            f"The database lay in {folder}, which is gone: restore it, or delete"
            f" {record} to begin with an empty database."
        )
    return folder


def _choose_state_folder(control: Path) -> Path:
    """Make a folder of a name that nobody can foresee, and write it down."""
    folder = STATE / secrets.token_hex(8)
    for path in (STATE, folder):
        with suppress(FileExistsError):
            path.mkdir(parents=True)
            path.chmod(_TRAVERSABLE)
    record = control / "location"
    new = record.with_suffix(".new")
    new.write_text(str(folder))
    new.rename(record)
    return folder
