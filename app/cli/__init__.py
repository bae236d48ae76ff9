"""The ``zenith`` command."""

import gc
import signal
import sys
from types import FrameType

import typer

from app.cli.failures import explain
from app.cli.jobs import jobs
from app.cli.mail import mail
from app.cli.migrate import migrate
from app.cli.openapi import openapi
from app.cli.serve import serve
from app.cli.up import up
from app.cli.user import user
from app.cli.worker import worker

EXIT_ERROR = 2

cli = typer.Typer(
    name="zenith",
    help="A production-grade, multi-tenant API backend.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
cli.command()(up)
cli.command()(serve)
cli.command()(worker)
cli.command()(migrate)
cli.add_typer(user, name="user")
cli.add_typer(jobs, name="jobs")
cli.add_typer(mail, name="mail")
cli.command()(openapi)


def main() -> None:
    """Run a command; an expected failure is one line on stderr and exit code 2."""
    gc.disable()  # importing leaves no garbage to look for; a server enables it
    # Until the server takes signals over, one of them unwinds whatever was begun.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        cli()
    except Exception as error:
        message = explain(error)
        if message is None:
            raise
        print(f"zenith: {message}", file=sys.stderr)  # noqa: T201 - a command's output
        sys.exit(EXIT_ERROR)


def _stop(_: int, __: FrameType | None) -> None:
    sys.exit(0)
