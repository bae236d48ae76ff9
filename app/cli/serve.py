"""``zenith serve``."""

import logging
import os
import socket
import tempfile
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import Home, Host, Port, settings_of, url_of
from app.config import Settings
from app.db.provision import provided_database
from app.lifecycle import start_draining
from app.server.sockets import bind

if TYPE_CHECKING:
    from fastapi import FastAPI

APP = "app.main:app"
WORKING_APP = "app.main:working_app"
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # the Prometheus client reads it at import

Workers = Annotated[
    int, typer.Option(envvar="WORKERS", min=1, max=512, help="Processes that serve.")
]


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    workers: Workers = 1,
    home: Home = None,
) -> None:
    """Serve the API; migrate first, for this does not."""
    from app.telemetry.logs import configure_logging

    settings = settings_of(home)
    configure_logging(style=settings.log_format, level=settings.LOG_LEVEL)
    with (
        bind(host, port) as listener,
        provided_database(settings, notice=typer.echo) as provided,
        tempfile.TemporaryDirectory(prefix="zenith-metrics-") as folder,
    ):
        if workers > 1:
            os.environ[METRICS_FOLDER] = folder
        logging.getLogger(__name__).info("serving %s", url_of(host, listener))
        run_server(provided, listener, workers=workers)


def run_server(
    settings: Settings,
    listener: socket.socket,
    *,
    workers: int = 1,
    reload: bool = False,
    works: bool = False,
) -> None:
    """Serve on a socket until a signal; processes of their own read the environment.

    One that ``works`` does the jobs of the queue as well.
    """
    from app.security.keys import SigningKeys
    from app.server import runner

    SigningKeys.of(settings)  # so that a bad one is told here, and once
    app: Any = WORKING_APP if works else APP
    if workers == 1 and not reload:
        app = _app_of(settings, works=works)
    else:
        os.environ.update(environment_of(settings))
    runner.serve(
        app,
        sockets=[listener],
        workers=workers,
        reload=reload,
        on_draining=start_draining,
    )


def _app_of(settings: Settings, *, works: bool) -> "FastAPI":
    from app.main import served_app

    return served_app(settings, works=works)


def environment_of(settings: Settings) -> dict[str, str]:
    """Tell another process what was found out after the settings were read."""
    assert settings.DATABASE_URL is not None
    return {
        "DATABASE_URL": settings.DATABASE_URL.get_secret_value(),
        "PUBLIC_URL": settings.PUBLIC_URL,
        "ZENITH_HOME": str(settings.ZENITH_HOME),
    }
