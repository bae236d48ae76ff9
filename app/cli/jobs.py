"""``zenith jobs``."""

import asyncio
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from app.cli.options import Home, settings_of
from app.config import Settings
from app.db.provision import provided_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from app.models.jobs import JobEventRow, JobRow, JobStatus
    from app.resources import Resources

T = TypeVar("T")

Id = Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="Number of the job.")]
OptionalId = Annotated[
    int, typer.Argument(max=2**63 - 1, help="Number of the job.", show_default=False)
]
Held = Annotated[str, typer.Option(metavar="TYPE", help="All held ones of this kind.")]
Status = Annotated[
    str, typer.Option(help="Only those that are so: queued, running or held.")
]
Type = Annotated[str, typer.Option("--type", help="Only those of this kind.")]
Size = Annotated[int, typer.Option(min=1, max=100, help="At most so many.")]

jobs = typer.Typer(help="See to durable jobs.", no_args_is_help=True)


@jobs.command("list")
def list_jobs(
    *, status: Status = "", kind: Type = "", size: Size = 50, home: Home = None
) -> None:
    """List jobs that wait, run or are held, the newest first."""
    from app.db.repositories.jobs import JobReader
    from app.pagination import PageRequest

    filters = {"status": _status(status), "type": kind}
    request = PageRequest(
        size=size,
        page=1,
        cursor=None,
        order=(("created_at", True),),
        filters={name: value for name, value in filters.items() if value},
    )
    page = _with_resources(
        home, lambda resources: JobReader(resources.reader).page(request)
    )
    _print_jobs(page.items)
    if page.next_cursor:
        typer.echo(f"The newest {size} of {page.total or 'many'}.")


@jobs.command()
def show(id: Id, *, home: Home = None) -> None:
    """Show a job and all that has happened to it."""
    from app.db.repositories.jobs import JobReader

    history = _with_resources(
        home, lambda resources: JobReader(resources.reader).history(id)
    )
    if history.job is None:
        typer.echo(f"Job {id} is no longer in the queue.")
    else:
        _print_job(history.job)
    for event in history.events:
        _print_event(event)


@jobs.command()
def retry(id: OptionalId = 0, *, held: Held = "", home: Home = None) -> None:
    """Let a job that waits or is held begin now, or all held ones of a kind."""
    from app.db.repositories.jobs import JobRepository

    if bool(id) == bool(held):
        raise typer.BadParameter("name a job, or --held and a kind")

    async def change(resources: "Resources") -> int:
        async with resources.sessions.begin() as session:
            jobs = JobRepository(session)
            if held:
                return await jobs.retry_held(held)
            await jobs.retry(id)
            return 1

    count = _with_resources(home, change)
    typer.echo(f"Job {id} waits for a worker." if id else f"{count} jobs wait.")


@jobs.command()
def discard(id: Id, *, home: Home = None) -> None:
    """Take a job that waits or is held away; it is not done."""
    from app.db.repositories.jobs import JobRepository

    async def change(resources: "Resources") -> None:
        async with resources.sessions.begin() as session:
            await JobRepository(session).discard(id)

    _with_resources(home, change)
    typer.echo(f"Job {id} is discarded.")


def _status(given: str) -> "JobStatus | None":
    from typing import get_args

    from app.models.jobs import JobStatus

    if given and given not in get_args(JobStatus):
        raise typer.BadParameter("queued, running or held", param_hint="--status")
    return given or None  # type: ignore[return-value]  # compared just now


def _with_resources(home: Home, use: "Callable[[Resources], Awaitable[T]]") -> T:
    """Run something with an open database, which an embedded one may need a start."""
    with provided_database(settings_of(home), notice=_say_nothing) as settings:
        return asyncio.run(_use(settings, use))


async def _use(settings: Settings, use: "Callable[[Resources], Awaitable[T]]") -> T:
    from app.cli.few import open_few

    async with open_few(settings) as resources:
        return await use(resources)


def _say_nothing(_: str) -> None:
    """Keep the output to what was asked for."""


def _print_jobs(rows: "Sequence[JobRow]") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "type", "status", "failed", "run at", "error", box=None)
    for row in rows:
        error = (row.error or "").partition("\n")[0]
        table.add_row(
            str(row.id),
            row.type,
            row.status,
            str(row.attempts),
            f"{row.run_at:%Y-%m-%d %H:%M:%S}Z",
            error,
        )
    Console(highlight=False, markup=False).print(table)


def _print_job(row: "JobRow") -> None:
    typer.echo(f"Job {row.id}, {row.type}: {row.status}, failed {row.attempts} times")
    typer.echo(f"  to be run from {row.run_at:%Y-%m-%d %H:%M:%S}Z on")
    typer.echo(f"  {row.payload}")


def _print_event(event: "JobEventRow") -> None:
    typer.echo(f"{event.created_at:%Y-%m-%d %H:%M:%S}Z {event.status}")
    if event.traceback:
        typer.echo("    " + event.traceback.rstrip().replace("\n", "\n    "))
