"""``zenith migrate``."""

import asyncio
from typing import Annotated

import typer

from app.config import load_settings
from app.db.provision import admin_url, app_role, provided_database


def migrate(
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if not newest.")
    ] = False,
) -> None:
    """Bring the database to the newest schema."""
    from app.db import migrations

    with provided_database(load_settings(), notice=typer.echo) as settings:
        url, newest = admin_url(settings), migrations.head_revision()
        if check:
            revision = asyncio.run(migrations.current_revision(url))
            typer.echo(f"The schema is at {revision or 'nothing'}; newest is {newest}.")
            raise typer.Exit(0 if revision == newest else 1)
        role = app_role(settings)
        asyncio.run(migrations.migrate(url, app_role=role, notice=typer.echo))
        typer.echo(f"The schema is at {newest}.")
