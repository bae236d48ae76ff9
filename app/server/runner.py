"""How the server starts, drains and ends."""

import asyncio
import signal
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from typing_extensions import override
from uvicorn import Config
from uvicorn import Server as UvicornServer
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import ChangeReload, Multiprocess, multiprocess

from app.errors import OperatorError
from app.server.protocol import ZenithProtocol
from app.server.sockets import BACKLOG, bind, raise_file_limit

NOTICE_SECONDS = 1
"""From SIGTERM to the last new connection: readiness is seen to be 503 meanwhile."""
GRACE_SECONDS = 7
"""Then, for what is in flight; the rest is cancelled."""
END_SECONDS = 9
"""From the signal to the end of a process that hangs; its parent needs some, too."""
KEEP_ALIVE_SECONDS = 8
MAX_CONNECTIONS = 20_000
"""Of one process, idle ones among them; who comes later is answered with a 503."""

APP_DIRECTORY = Path(__file__).parents[1]


class StartupFailed(OperatorError):
    """The application did not start; the message is one line for the operator."""


class ServerConfig(Config):
    """What uvicorn is told, whoever starts it and in whichever process."""

    def __init__(
        self,
        app: Any,
        *,
        on_draining: Callable[[], None] | None = None,
        protocol: type[asyncio.Protocol] = ZenithProtocol,
        **options: Any,
    ) -> None:
        super().__init__(
            app,
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=BACKLOG,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            **{"limit_concurrency": MAX_CONNECTIONS, **options},
        )
        self.on_draining = on_draining


class Server(UvicornServer):
    """Ends in a return, where uvicorn raises the signal once more."""

    def __init__(self, config: ServerConfig) -> None:
        super().__init__(config)
        self._on_draining = config.on_draining
        self._gives_notice = False

    @override
    def run(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            super().run(sockets)
        finally:
            _end_hard_in(0)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.should_exit:
            self.force_exit |= sig == signal.SIGINT
            return
        self.should_exit = True
        self._gives_notice = sig != signal.SIGINT  # no balancer watches a terminal
        _end_hard_in(END_SECONDS)
        if self._on_draining is not None:
            self._on_draining()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._gives_notice:
            await asyncio.sleep(NOTICE_SECONDS)
        await super().shutdown(sockets)


class Worker(multiprocess.Process):
    """One of several processes, each with a server of this module."""

    @property
    @override
    def server(self) -> UvicornServer:
        if self._server is None:
            assert isinstance(self.config, ServerConfig)
            self._server = Server(self.config)
        return self._server


def serve(
    app: Any,
    *,
    host: str = "127.0.0.1",
    port: int = 8000,
    sockets: Sequence[socket.socket] = (),
    factory: bool = False,
    workers: int = 1,
    reload: bool = False,
    reload_directories: Sequence[Path] = (APP_DIRECTORY,),
    on_draining: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM, then end what is in flight and return.

    Several workers or reloading need ``app`` as an import string, and ``on_draining``
    as a function of a module: both travel to other processes. Raises CannotListen for
    an address that is not to be had, and StartupFailed.
    """
    raise_file_limit()
    listeners = list(sockets) or [bind(host, port)]
    config = ServerConfig(
        app,
        factory=factory,
        workers=workers,
        reload=reload,
        reload_dirs=[str(d) for d in reload_directories] if reload else None,
        on_draining=on_draining,
    )
    try:
        _run(config, listeners)
    except SystemExit as stop:  # how uvicorn says it
        if stop.code != STARTUP_FAILURE:
            raise
        raise StartupFailed("The application did not start; see its log.") from stop
    finally:
        for listener in listeners:
            listener.close()


def _run(config: ServerConfig, listeners: list[socket.socket]) -> None:
    if config.should_reload:
        ChangeReload(config, target=Server(config).run, sockets=listeners).run()
    elif config.workers > 1:
        _supervise(config, listeners)
    else:
        Server(config).run(listeners)


def _supervise(config: ServerConfig, listeners: list[socket.socket]) -> None:
    multiprocess.Process = Worker  # type: ignore[misc]  # Multiprocess has no parameter for it
    supervisor = Multiprocess(config, listeners)
    supervisor.run()
    if any(worker.exitcode == STARTUP_FAILURE for worker in supervisor.processes):
        raise SystemExit(STARTUP_FAILURE)


def _end_hard_in(seconds: float) -> None:
    """Let SIGALRM end this process, which works for one that hangs; 0 takes it back."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)
