"""Whether this process can do its work."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import asyncpg

from app import __version__
from app.db.errors import DATABASE_ERRORS
from app.db.migrations import CURRENT_REVISION, head_revision
from app.db.reader import Reader
from app.errors import Unavailable
from app.lifecycle import is_draining
from app.schemas.operations import HealthResponse, LiveResponse, ReadyResponse, State
from app.services.actor import public

if TYPE_CHECKING:
    from app.integrations.redis import Redis


@dataclass(frozen=True, slots=True)
class HealthService:
    """The use cases of load balancers and of operators in a hurry."""

    reader: Reader
    redis: "Redis | None" = None

    @public("It tells nothing but that the process answers.")
    async def health(self) -> HealthResponse:
        return HealthResponse(status="healthy", version=__version__)

    @public("It tells nothing but that the process answers.")
    async def live(self) -> LiveResponse:
        return LiveResponse(status="alive")

    @public("Load balancers have no account, and no host is named.")
    async def ready(self) -> ReadyResponse:
        """Check what serving needs; raise `Unavailable` with the same checks.

        Redis is told of and not needed: all processes lose it at once, and without
        any of them nobody is served.
        """
        database, schema = await self._database()
        checks = {
            "database": database,
            "schema": schema,
            "redis": await self._redis(),
            "kafka": "off",
        }
        if is_draining():
            raise Unavailable("This process is stopping.", extra={"checks": checks})
        if "down" in (database, schema):
            raise Unavailable("Something needed is down.", extra={"checks": checks})
        return ReadyResponse.model_validate({"status": "ready", "checks": checks})

    async def _database(self) -> tuple[State, State]:
        try:
            revision = await self.reader.scalar(CURRENT_REVISION)
        except asyncpg.UndefinedTableError:
            return "up", "down"
        except (Unavailable, *DATABASE_ERRORS):
            return "down", "down"
        return "up", "up" if revision == head_revision() else "down"

    async def _redis(self) -> State:
        if self.redis is None:
            return "off"
        return "up" if await self.redis.answers() else "down"
