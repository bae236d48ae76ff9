"""``zenith user``."""

import asyncio
import sys
from typing import Annotated

import typer

from app.config import load_settings
from app.db.provision import provided_database

user = typer.Typer(help="Manage users.", no_args_is_help=True)


@user.callback()
def _group() -> None:
    """Keep ``create`` a word of the command, though it is the only one so far."""


@user.command()
def create(
    email: str,
    *,
    full_name: Annotated[str, typer.Option(help="[default: EMAIL]")] = "",
    superuser: Annotated[bool, typer.Option("--superuser")] = False,
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin.")
    ] = False,
) -> None:
    """Create a user; a generated password is printed once."""
    from app.cli.accounts import create_user, generate_password, read_user

    given = sys.stdin.readline().rstrip("\n") if password_stdin else None
    password = given if given is not None else generate_password()
    new = read_user(email, password, superuser=superuser, full_name=full_name)
    with provided_database(load_settings(), notice=typer.echo) as settings:
        created = asyncio.run(create_user(settings, new))
    kind = "superuser" if created.is_superuser else "user"
    typer.echo(f"Created the {kind} {created.email}.")
    if given is None:
        typer.echo(f"Password: {password}")
