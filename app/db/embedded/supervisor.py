"""A PostgreSQL server that runs as long as somebody uses it."""

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from subprocess import SubprocessError
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

from app.db.embedded.binaries import locate, usable_by
from app.db.embedded.bootstrap import (
    APP,
    DATABASE,
    OWNER,
    SUPERUSER,
    create_cluster,
    remove_leftovers,
)
from app.db.embedded.cluster import find_cluster, make_control_folder
from app.db.embedded.errors import EmbeddedPostgresError
from app.db.embedded.locks import Attendance, exclusive
from app.db.embedded.server import Server
from app.db.embedded.serverlog import ServerLog

_log = logging.getLogger(__name__)

_WATCH_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 8.0


class EmbeddedPostgres:
    """A server that runs while any process is inside this context.

    All processes with the same home share one server: the first one in starts it,
    whoever sees it die starts it again, and the last one out stops it.
    """

    def __init__(
        self,
        home: Path,
        *,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] = MappingProxyType({}),
        notice: Callable[[str], None] = _log.warning,
    ) -> None:
        """Prepare without touching anything.

        ``bin_dir`` is ZENITH_PG_BIN, ``settings`` are PostgreSQL's own, and ``notice``
        is told what an operator should know, also from another thread.
        """
        self._home = home.resolve()
        self._control = self._home / "postgres"
        self._chosen_bin_dir = bin_dir
        self._settings = settings
        self._notice = notice
        self._leaving = threading.Event()
        self._watch: threading.Thread | None = None
        self._attendance: Attendance | None = None
        self._server: Server | None = None

    def __enter__(self) -> Self:
        """Start the server or join it, and watch over it."""
        self._leaving.clear()
        try:
            make_control_folder(self._home)
            with exclusive(self._lock_file):
                server = self._attach()
        except (OSError, SubprocessError) as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL cannot run in {self._home} ({error}): choose another"
                " --home or set DATABASE_URL."
            ) from error
        self._watch = threading.Thread(
            target=self._keep_running,
            args=(server,),
            name="embedded-postgres",
            daemon=True,
        )
        self._watch.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave, and stop the server if nobody else is attached."""
        self._leaving.set()
        try:
            with exclusive(self._lock_file):
                self._detach()
        except (EmbeddedPostgresError, OSError) as failure:
            self._notice(str(failure))
        if self._watch is not None:
            self._watch.join()

    @property
    def owner_url(self) -> str:
        """For migrations: this role owns the database."""
        return self._url(OWNER, DATABASE)

    @property
    def app_url(self) -> str:
        """For the application: this role owns nothing."""
        return self._url(APP, DATABASE)

    @property
    def superuser_url(self) -> str:
        """For tests, which make databases of their own."""
        return self._url(SUPERUSER, SUPERUSER)

    @property
    def bin_dir(self) -> Path:
        """The folder of the programs in use."""
        return self._running_server.programs.folder

    @property
    def _lock_file(self) -> Path:
        return self._control / ".lock"

    @property
    def _running_server(self) -> Server:
        if self._server is None:
            raise RuntimeError("This is known inside the context only.")
        return self._server

    def _url(self, role: str, database: str) -> str:
        folder = quote(self._running_server.socket.folder)
        # The port is written out because PGPORT would replace a missing one.
        return f"postgresql://{role}@/{database}?host={folder}&port=5432"

    def _attach(self) -> Server:
        self._attendance = Attendance(self._control / ".users")
        try:
            self._server = self._find_server()
            self._server.start(self._leaving)
        except BaseException:
            self._detach()
            raise
        return self._server

    def _detach(self) -> None:
        attendance, server = self._attendance, self._server
        self._attendance = self._server = None
        is_last = attendance is not None and attendance.leave()
        if server is None:
            return
        try:
            if is_last:
                server.stop()
        finally:
            server.socket.close()

    def _find_server(self) -> Server:
        cluster = find_cluster(self._control, self._notice)
        programs = usable_by(
            cluster.account,
            locate(self._chosen_bin_dir),
            copies=cluster.folder / "binaries",
        )
        remove_leftovers(cluster)
        if not cluster.exists:
            durable = self._settings.get("fsync") != "off"
            create_cluster(cluster, programs, durable=durable)
        log = ServerLog(self._control / "postgres.log")
        return Server(cluster, programs, log=log, settings=self._settings)

    def _keep_running(self, server: Server) -> None:
        pause = _WATCH_SECONDS
        while not self._leaving.wait(pause):
            try:
                if not server.is_running:
                    self._restart(server)
                pause = _WATCH_SECONDS
            except (EmbeddedPostgresError, OSError, SubprocessError) as failure:
                self._notice(str(failure))
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _restart(self, server: Server) -> None:
        with exclusive(self._lock_file):
            # Meanwhile another process may have done it, or this one may be leaving.
            if self._leaving.is_set() or server.answers:
                return
            self._notice("PostgreSQL died and is started again.")
            server.start(self._leaving)
