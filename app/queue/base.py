"""The kinds of jobs are classes of payloads; the queue is a table."""

from dataclasses import dataclass
from datetime import timedelta
from random import uniform
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from app.db.repositories.jobs import REQUEST, JobRepository
from app.telemetry.logs import request_id

NOW = timedelta(0)


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a job that fails is tried again, and after which delays."""

    limit: int
    """Attempts after the first one; then it is held."""
    first: timedelta = timedelta(seconds=2)
    longest: timedelta = timedelta(hours=1)

    def delay(self, attempt: int) -> timedelta:
        """Return the delay before an attempt, from 1: doubled each time, less a jitter.

        The jitter keeps those that failed together from coming back together.
        """
        doubled: timedelta = self.first * 2 ** min(attempt - 1, 30)
        return min(doubled, self.longest) * uniform(0.5, 1)  # noqa: S311 - no secret


FOR_DAYS = Retries(limit=105, first=timedelta(seconds=5))
"""For what depends on others, who may be away: for three days, on an average."""


class Job(BaseModel):
    """A kind of job: its fields are what a handler of `app.jobs` is told.

    They are stored as JSON until the job is done, and shown to superusers: no secrets.
    A field that is added needs a default, for jobs of the release before are waiting.
    """

    model_config = ConfigDict(frozen=True)

    type: ClassVar[str]
    """Its name in the queue, as ``mail.send``; it never changes."""
    retries: ClassVar[Retries] = Retries(limit=10)
    time_limit: ClassVar[timedelta] = timedelta(minutes=5)
    """After this an attempt has failed."""
    priority: ClassVar[int] = 0
    """Of jobs that wait, those of a higher one are begun first."""

    @override
    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "type" not in vars(cls):
            raise TypeError(f"{cls.__name__} needs a type")


@dataclass(frozen=True, slots=True)
class Queue:
    """Puts jobs into the queue, in the transaction of the change that they belong to.

    A job exists once that is committed; rolled back, there never was one.
    """

    session: AsyncSession

    async def put(
        self, job: Job, *, delay: timedelta = NOW, key: str | None = None
    ) -> int | None:
        """Add a job, to be begun after a delay; return its id.

        Of jobs with one ``key`` only one waits or runs: for the others it returns None.
        """
        request = request_id.get()
        return await JobRepository(self.session).put(
            job.type,
            job.model_dump_json().encode(),
            delay=delay,
            priority=job.priority,
            key=key,
            headers={REQUEST: request} if request else {},
        )
