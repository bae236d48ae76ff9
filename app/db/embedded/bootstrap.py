"""The making of a cluster with its two roles and its database."""

import os
import shutil
import tempfile
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.binaries import Programs
from app.db.embedded.cluster import Cluster
from app.db.embedded.errors import EmbeddedPostgresError, last_words

SUPERUSER = "postgres"
OWNER = "zenith_owner"
APP = "zenith_app"
DATABASE = "zenith"

_BUILTIN_LOCALE_MAJOR = 17

# A role gets no attribute beyond LOGIN unless it is named.
_ROLES = f"""
CREATE ROLE {OWNER} LOGIN;

CREATE ROLE {APP} LOGIN;

CREATE DATABASE {DATABASE} OWNER {OWNER};

REVOKE ALL ON DATABASE {DATABASE}, {SUPERUSER}, template1 FROM PUBLIC;

GRANT CONNECT ON DATABASE {DATABASE} TO {APP};

"""


def create_cluster(cluster: Cluster, programs: Programs, *, durable: bool) -> None:
    """Make the cluster beside its place, and move it there when it is whole."""
    if not cluster.account.has_passwd_entry:
        raise EmbeddedPostgresError(
            f"User id {cluster.account.uid} has no entry in /etc/passwd, and PostgreSQL"
            " makes no database for such a user: run as a user with a name, or set"
            " DATABASE_URL."
        )
    # The name is new each time: initdb may outlive a killed parent and still write.
    new = Path(tempfile.mkdtemp(prefix="data.new.", dir=cluster.folder))
    try:
        cluster.account.own(new)
        _fill(new, cluster.account, programs, durable=durable)
        new.rename(cluster.data)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    _sync_names(cluster.folder)


def remove_leftovers(cluster: Cluster) -> None:
    """Remove what killed processes left beside the cluster."""
    for leftover in cluster.folder.glob("data.new.*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _fill(data: Path, account: Account, programs: Programs, *, durable: bool) -> None:
    initdb = programs.folder / "initdb"
    _run(account, initdb, "-D", data, *_initdb_options(programs.major))
    _run(
        account,
        programs.folder / "postgres",
        *("--single", "-F", "-j", "-D", data, "-c", "exit_on_error=on", SUPERUSER),
        stdin=_ROLES,
    )
    if durable:
        _run(account, initdb, "--sync-only", "-D", data)


def _initdb_options(major: int) -> list[str]:
    locale = (
        ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if major >= _BUILTIN_LOCALE_MAJOR
        else ["--locale=C"]
    )
    return [
        f"--username={SUPERUSER}",
        "--auth-local=trust",
        "--auth-host=reject",
        "--encoding=UTF8",
        *locale,
        "--no-instructions",
        "--no-sync",
    ]


def _run(account: Account, *command: str | Path, stdin: str = "") -> None:
    done = account.run(*command, stdin=stdin)
    if done.returncode != 0:
        raise EmbeddedPostgresError(
            f"{command[0]} could not make a database: free some disk space, choose"
            f" another --home, or set DATABASE_URL. It said:\n{last_words(done.stdout)}"
        )


def _sync_names(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
