"""Options that several commands share; each is also a setting of the same name."""

import socket
from pathlib import Path
from typing import Annotated

import typer

from app.config import Settings, load_settings

Host = Annotated[
    str, typer.Option(envvar="HOST", help="Address to listen on; 0.0.0.0 for all.")
]
Port = Annotated[
    int, typer.Option(envvar="PORT", min=0, max=65535, help="Port; 0 for a free one.")
]
Home = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="Folder of the embedded database and other state (ZENITH_HOME).",
    ),
]


def settings_of(home: Path | None) -> Settings:
    """Read the settings; a given home goes before the one of the environment."""
    return load_settings() if home is None else load_settings(ZENITH_HOME=home)


def url_of(host: str, listener: socket.socket) -> str:
    """Return where a browser on this machine finds the server."""
    port = listener.getsockname()[1]
    if host in {"0.0.0.0", "::", ""}:  # noqa: S104 - told apart, not listened on
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
