"""``zenith worker``."""

import asyncio
import logging
import signal
from typing import Annotated

import typer

from app.cli.options import Home, settings_of
from app.config import Settings
from app.db.provision import provided_database

END_SECONDS = 9
"""From the signal to the end of a worker that hangs."""

MetricsHost = Annotated[
    str, typer.Option(envvar="METRICS_HOST", help="Address of these metrics.")
]
MetricsPort = Annotated[
    int,
    typer.Option(
        envvar="METRICS_PORT",
        min=0,
        max=65535,
        help="Port of the worker's own metrics; 0 for none.",
    ),
]


def worker(
    *,
    home: Home = None,
    metrics_host: MetricsHost = "127.0.0.1",
    metrics_port: MetricsPort = 0,
) -> None:
    """Do jobs only; start as many of these as you like."""
    import uvloop

    from app.telemetry.logs import configure_logging

    settings = settings_of(home)
    configure_logging(style=settings.log_format, level=settings.LOG_LEVEL)
    with provided_database(settings, notice=typer.echo) as provided:
        if metrics_port:
            from prometheus_client import start_http_server

            start_http_server(metrics_port, addr=metrics_host)
        uvloop.run(_work(provided))
        signal.setitimer(signal.ITIMER_REAL, 0)  # a database of ours takes its own time
    typer.echo("Stopped.")


async def _work(settings: Settings) -> None:
    from app.lifecycle import settle_memory
    from app.mail.rendering import load
    from app.resources import open_resources
    from app.worker.worker import Worker

    stop = asyncio.Event()

    def on_signal() -> None:
        if stop.is_set():  # somebody is in a hurry: what is being done is begun again
            signal.raise_signal(signal.SIGALRM)
        signal.setitimer(signal.ITIMER_REAL, END_SECONDS)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, on_signal)
    async with open_resources(settings) as resources:
        settle_memory()
        await asyncio.to_thread(load)
        logging.getLogger(__name__).info("working")
        await Worker(resources).run(stop)
