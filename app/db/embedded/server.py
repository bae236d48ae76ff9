"""Start and stop of one PostgreSQL server."""

import os
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from subprocess import Popen

from app.db.embedded.binaries import Programs
from app.db.embedded.cluster import Cluster
from app.db.embedded.errors import EmbeddedPostgresError, last_words
from app.db.embedded.processes import (
    announces_ready,
    end_orphans,
    is_postmaster,
    postmaster,
    remove_stale_lock_files,
)
from app.db.embedded.serverlog import ServerLog
from app.db.embedded.sockets import ServerSocket

_SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    # Relative to the data directory, which is closed to others and may be long.
    "unix_socket_directories": ".",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "logging_collector": "off",
    "log_destination": "stderr",
    # Details and statements would carry the values of rows into the log.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}
_START_SECONDS = 300
_POLL_SECONDS = 0.02
_RETRY_SECONDS = 0.2
_STOP_SIGNALS = ((signal.SIGINT, 5), (signal.SIGQUIT, 10))
"""Fast and immediate shutdown, with the seconds that each may take.

The latter loses nothing: the next start reads the log that the former would have put
into the tables.
"""
_MEMORY_IN_USE = "is still in use"  # until the backends of a killed server are gone
_PASSING_FAILURES = (
    _MEMORY_IN_USE,
    "already exists",  # the lock file of a server that somebody else just started
    "is empty",
)


class Server:
    """The server of a cluster; start and stop under the exclusive lock."""

    def __init__(
        self,
        cluster: Cluster,
        programs: Programs,
        *,
        log: ServerLog,
        settings: Mapping[str, str],
    ) -> None:
        self._cluster = cluster
        self.programs = programs
        self._log = log
        self._settings = {**_SETTINGS, **settings}
        self._process: Popen[bytes] | None = None
        self.socket = ServerSocket(cluster.data)

    @property
    def is_running(self) -> bool:
        return postmaster(self._cluster.data) is not None

    @property
    def answers(self) -> bool:
        return announces_ready(self._cluster.data) and self.socket.answers()

    def start(self, cancelled: threading.Event) -> None:
        """Start the server, or wait for one that is starting or stopping already."""
        deadline = time.monotonic() + _START_SECONDS
        self._process = None
        while not self.answers:
            if time.monotonic() > deadline:
                raise self._failure("is not ready")
            if self._process is not None and self._process.poll() is not None:
                self._pardon_or_raise(self._process.returncode)
                self._process = None
                cancelled.wait(_RETRY_SECONDS)
            if self._process is None and not self.is_running:
                self._process = self._launch()
            if cancelled.wait(_POLL_SECONDS):
                return

    def stop(self) -> None:
        """Stop the server, at first in order, then at once."""
        pid = postmaster(self._cluster.data)
        if pid is None and self._process is not None:
            # A start that was cancelled before the server wrote its id.
            pid = self._process.pid
        if pid is None:
            return
        for stop_signal, seconds in _STOP_SIGNALS:
            if not is_postmaster(pid, self._cluster.data):
                return
            with suppress(ProcessLookupError):
                os.kill(pid, stop_signal)
            if self._is_gone(pid, seconds):
                return
        raise EmbeddedPostgresError(f"PostgreSQL, process {pid}, does not stop.")

    def _is_gone(self, pid: int, seconds: float) -> bool:
        """Wait for the end of the process as long as that."""
        deadline = time.monotonic() + seconds
        while is_postmaster(pid, self._cluster.data):
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True

    def _launch(self) -> Popen[bytes]:
        self._check_version()
        remove_stale_lock_files(self._cluster.data)
        self._log.begin()
        process = self._cluster.account.spawn(
            self.programs.folder / "postgres",
            "-D",
            self._cluster.data,
            *(f"--{name}={value}" for name, value in self._settings.items()),
            log=self._log.path,
        )
        # Reaps the server whenever it dies; a zombie would look alive.
        threading.Thread(target=process.wait, name="postmaster", daemon=True).start()
        return process

    def _check_version(self) -> None:
        data, programs = self._cluster.data, self.programs
        file = data / "PG_VERSION"
        made_by = file.read_text().strip() if file.exists() else "(unknown)"
        if made_by != str(programs.major):
            raise EmbeddedPostgresError(
                f"{data} was made by PostgreSQL {made_by}, and {programs.folder} is"
                f" {programs.major}: set ZENITH_PG_BIN to the programs of PostgreSQL"
                f" {made_by}, or move {data} away to begin with an empty database."
            )

    def _pardon_or_raise(self, exit_status: int) -> None:
        """Pardon a start that failed for a reason that passes by itself."""
        said = self._log.read()
        if exit_status < 0:
            raise self._failure(f"was killed by signal {-exit_status} at its start")
        if not any(failure in said for failure in _PASSING_FAILURES):
            raise self._failure("did not start")
        if _MEMORY_IN_USE in said:
            end_orphans(self._cluster.data)

    def _failure(self, what: str) -> EmbeddedPostgresError:
        said = last_words(self._log.read())
        return EmbeddedPostgresError(
            f"PostgreSQL {what}: mend what its log {self._log.path} names, or set"
            f" DATABASE_URL. It said:\n{said}"
        )
