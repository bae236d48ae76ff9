"""``zenith up``."""

import asyncio
import importlib
import socket
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli import home as homes
from app.cli.options import Home, Host, Port, settings_of, url_of
from app.cli.serve import run_server
from app.config import Settings
from app.db.provision import provided_database
from app.server.sockets import bind

if TYPE_CHECKING:
    from app.cli.accounts import FirstSuperuser

Reload = Annotated[bool, typer.Option("--reload", help="Restart when code changes.")]


def up(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8000,
    home: Home = None,
    reload: Reload = False,
) -> None:
    """Start everything: database, schema, first superuser, API, worker."""
    settings = settings_of(home)
    with homes.held(settings.ZENITH_HOME) as holder, bind(host, port) as listener:
        url = url_of(host, listener)
        holder.announce(url)
        if "PUBLIC_URL" not in settings.model_fields_set:
            settings = settings.model_copy(update={"PUBLIC_URL": url})
        _run(settings, listener, url=url, reload=reload)
    typer.echo("Stopped.")


def _run(
    settings: Settings, listener: socket.socket, *, url: str, reload: bool
) -> None:
    _load_meanwhile("app.main", "app.worker.worker", "app.cli.prepare")
    if settings.DATABASE_URL is None:
        typer.echo(f"Starting PostgreSQL in {settings.ZENITH_HOME} ...")
    with provided_database(settings, notice=typer.echo) as provided:
        from app.cli.prepare import prepare

        superuser = asyncio.run(prepare(provided, notice=typer.echo))
        _welcome(url, superuser)
        run_server(provided, listener, reload=reload, works=True)
        typer.echo("Stopping ...")


def _load_meanwhile(*modules: str) -> None:
    """Import what takes long while PostgreSQL starts."""

    def load() -> None:
        for module in modules:
            importlib.import_module(module)

    threading.Thread(target=load, daemon=True).start()


def _welcome(url: str, superuser: "FirstSuperuser | None") -> None:
    from rich.console import Console
    from rich.panel import Panel
    from rich.table import Table

    rows = Table.grid(padding=(0, 2))
    rows.add_row("API", url)
    rows.add_row("Docs", f"{url}/docs")
    if superuser is not None:
        rows.add_row("Superuser", superuser.email)
        rows.add_row("Password", superuser.generated_password or "as you have set it")
    if superuser is not None and superuser.generated_password:
        rows.add_row("", "Keep it: it is not shown again.")
    panel = Panel(rows, title="Zenith is up", expand=False, padding=(1, 2))
    Console(highlight=False, soft_wrap=True).print(panel)
    typer.echo("Ctrl-C stops everything.")
