"""``python -m tests.faults.switches``: two organizations take turns on one connection.

Statements without any filter are read, rolled back, broken and cancelled in between.
It prints one line of JSON: the verdict, with the seed that makes the same turns again.
"""

import argparse
import asyncio
import contextlib
import json
import random
import secrets
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.config import Settings
from app.db.embedded import EmbeddedPostgres
from app.db.reader import Query
from app.db.tenancy import Context, bind, enter
from app.models.organizations import Membership
from app.resources import Resources
from tests.conftest import running, settings_for
from tests.databases import Databases
from tests.factories.organizations import tenant

ALL = Query(
    select(Membership.organization_id), lambda one: one, context=["organization_id"]
)
LONGEST = 0.002  # seconds until something is cancelled


@dataclass
class Turns:
    """Takes turns at random; of each it notes which organizations were seen."""

    resources: Resources
    organizations: Sequence[UUID]
    random: random.Random
    leaks: list[str] = field(default_factory=list)
    taken: Counter[str] = field(default_factory=Counter)

    async def take(self) -> None:
        turn = self.random.choice(TURNS)
        organization_id = self.random.choice(self.organizations)
        self.taken[turn.__name__] += 1
        await turn(self, organization_id)
        await self._nobody()

    def _saw(self, seen: set[UUID], own: set[UUID], where: str) -> None:
        if seen != own:
            self.leaks.append(f"{where}: {seen - own} beside {own - seen}")

    async def _all(self, session: AsyncSession) -> set[UUID]:
        return {*await session.scalars(select(Membership.organization_id))}

    async def _nobody(self) -> None:
        """Look without a context, on the connection that the turn has used."""
        async with self.resources.sessions() as session:
            self._saw(await self._all(session), set(), "nobody")

    async def read(self, own: UUID) -> None:
        seen = await self.resources.reader.all(ALL, organization_id=own)
        self._saw({*seen}, {own}, "read")

    async def write(self, own: UUID) -> None:
        async with self.resources.sessions.begin() as session:
            await enter(session, organization_id=own)
            self._saw(await self._all(session), {own}, "write")
            await session.execute(text("UPDATE memberships SET version = version + 1"))

    async def change(self, own: UUID) -> None:
        async with self.resources.sessions.begin() as session:
            for one in (*self.organizations, own):
                await enter(session, organization_id=one)
                self._saw(await self._all(session), {one}, "change")

    async def roll_back(self, own: UUID) -> None:
        async with self.resources.sessions() as session:
            bind(session, Context(own))
            self._saw(await self._all(session), {own}, "roll back")
            await session.rollback()
            self._saw(await self._all(session), {own}, "after a rollback")

    async def fail(self, own: UUID) -> None:
        async with self.resources.sessions() as session:
            bind(session, Context(own))
            with contextlib.suppress(DBAPIError):
                await session.execute(text("SELECT 1 / 0"))

    async def cancel(self, own: UUID) -> None:
        turn = self.random.choice([type(self).read, type(self).write])
        task = asyncio.ensure_future(turn(self, own))
        await asyncio.sleep(self.random.uniform(0, LONGEST))
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


Turn = Callable[[Turns, UUID], Awaitable[None]]
TURNS: Sequence[Turn] = (
    Turns.read,
    Turns.write,
    Turns.change,
    Turns.roll_back,
    Turns.fail,
    Turns.cancel,
)


async def take_turns(settings: Settings, *, switches: int, seed: int) -> Turns:
    """Let two organizations take turns on pools of one connection each."""
    alone = settings.model_copy(update={"DB_POOL_SIZE": 1, "DB_MAX_OVERFLOW": 0})
    async with running(alone) as app:
        organizations = [(await tenant(app)).id for _ in range(2)]
        turns = Turns(app.state.resources, organizations, random.Random(seed))
        for _ in range(switches):
            await turns.take()
    return turns


async def _run(folder: Path, *, switches: int, seed: int) -> dict[str, Any]:
    with EmbeddedPostgres(folder / "postgres") as postgres:
        async with Databases(postgres, folder).fresh() as database:
            settings = settings_for(
                DATABASE_URL=SecretStr(database.app_url), ZENITH_HOME=folder
            )
            turns = await take_turns(settings, switches=switches, seed=seed)
    return {
        "check": "organizations take turns on one connection",
        "passed": not turns.leaks,
        "seed": seed,
        "switches": switches,
        "turns": dict(turns.taken),
        "leaks": turns.leaks[:10],
    }


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--switches", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zenith-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        verdict = asyncio.run(_run(folder, switches=given.switches, seed=given.seed))
    sys.stdout.write(json.dumps(verdict) + "\n")
    sys.exit(not verdict["passed"])


if __name__ == "__main__":
    main()
