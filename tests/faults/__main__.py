"""``python -m tests.faults``: races and failures, many times over.

The suite runs each a few times; this command as often as it is told, against two server
processes on a database of their own. It prints one line of JSON a fault: the verdict.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2

from app.db.connections import Connection, connect
from app.db.embedded import EmbeddedPostgres
from tests.databases import Database, Databases
from tests.factories.users import PASSWORD, new_email
from tests.faults.races import AUTH, RACES, Arena, Tokens, password_form
from tests.fuzz import serving
from tests.processes import run

SECRET = "one secret of both, of 32 bytes and more"
AT_ONCE = 4
STATISTICS_SECONDS = 1.5  # until PostgreSQL tells what it has counted


@contextlib.asynccontextmanager
async def arena(folder: Path) -> AsyncIterator[tuple[Arena, Connection]]:
    """Two server processes on one database, a superuser, and a look at the database."""
    with EmbeddedPostgres(folder / "postgres") as postgres:
        async with Databases(postgres, folder).fresh() as database:
            with (
                serving(database, folder, SECRET_KEY=SECRET) as one,
                serving(database, folder, SECRET_KEY=SECRET) as two,
            ):
                async with (
                    httpx2.AsyncClient(base_url=one.url(), timeout=60) as first,
                    httpx2.AsyncClient(base_url=two.url(), timeout=60) as second,
                ):
                    superuser = await _superuser(first, database, folder)
                    owner = await connect(database.owner_url)
                    yield Arena([first, second], superuser), owner
                    await owner.close()


async def _superuser(client: httpx2.AsyncClient, database: Database, home: Path) -> str:
    email = new_email()
    create = ("user", "create", email, "--superuser", "--password-stdin")
    url = database.app_url
    made = await asyncio.to_thread(
        run, *create, home=home, given=f"{PASSWORD}\n", DATABASE_URL=url
    )
    assert made.returncode == 0, made.stderr
    answer = await client.post(f"{AUTH}/token", data=password_form(email))
    return Tokens.of(answer).access


async def deadlocks(owner: Connection) -> int:
    """Count those that the database has ended so far: each costs somebody a second."""
    await asyncio.sleep(STATISTICS_SECONDS)
    count: int = await owner.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return count


async def repeat(
    arena: Arena, owner: Connection, name: str, *, rounds: int
) -> dict[str, Any]:
    """Run a race many times, several of them side by side."""
    before = await deadlocks(owner)
    failures: Counter[str] = Counter()
    places = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with places:
            try:
                await RACES[name](arena)
            except (AssertionError, httpx2.HTTPError) as failure:
                failures[f"{type(failure).__name__}: {failure}"[:300]] += 1

    started = time.monotonic()
    await asyncio.gather(*(one() for _ in range(rounds)))
    seconds = round(time.monotonic() - started, 1)
    circles = await deadlocks(owner) - before
    return {
        "check": f"race: {name}",
        "passed": not failures and not circles,
        "rounds": rounds,
        "failures": dict(failures),
        "deadlocks": circles,
        "seconds": seconds,
    }


async def _run(names: list[str], folder: Path, *, rounds: int) -> bool:
    passed = True
    async with arena(folder) as (where, owner):
        for name in names:
            verdict = await repeat(where, owner, name, rounds=rounds)
            passed = passed and verdict["passed"]
            sys.stdout.write(json.dumps(verdict) + "\n")
            sys.stdout.flush()
    return passed


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("races", nargs="*", help=f"of {', '.join(RACES)}; default all")
    parser.add_argument("--rounds", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zenith-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        names = given.races or list(RACES)
        sys.exit(not asyncio.run(_run(names, folder, rounds=given.rounds)))


if __name__ == "__main__":
    main()
