"""What can be done about durable jobs."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.jobs import JobReader, JobRepository
from app.models.jobs import JobHistory, JobRow
from app.pagination import Slice
from app.schemas.jobs import JobQuery
from app.services.actor import Actor


@dataclass(frozen=True, slots=True)
class JobService:
    """The use cases of superusers who see to the queue."""

    session: AsyncSession
    reader: JobReader
    actor: Actor

    async def page(self, query: JobQuery) -> Slice[JobRow]:
        self.actor.require_superuser()
        return await self.reader.page(query.request())

    async def history(self, id: int) -> JobHistory:
        self.actor.require_superuser()
        return await self.reader.history(id)

    async def retry(self, id: int) -> None:
        """Let a job begin now; raise `JobRunning` if a worker is doing it."""
        self.actor.require_superuser()
        await self.actor.confirm(self.session)
        await JobRepository(self.session).retry(id)

    async def discard(self, id: int) -> None:
        """Give a job up; raise `JobRunning` if a worker is doing it."""
        self.actor.require_superuser()
        await self.actor.confirm(self.session)
        await JobRepository(self.session).discard(id)
