"""One attempt at a job: alone if it is suspect, in time, in one transaction."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from pgqueuer.core.executors import (
    AbstractEntrypointExecutor,
    EntrypointExecutorParameters,
)
from pgqueuer.domain.models import Context
from pgqueuer.domain.models import Job as PickedJob
from pydantic import ValidationError
from typing_extensions import override

from app.db.errors import NO_DATABASE
from app.db.repositories.jobs import ALONE, REQUEST, JobRepository
from app.jobs.handlers import GiveUp, Handler, Work
from app.queue import Job
from app.queue.base import NOW
from app.resources import Resources
from app.telemetry.logs import request_id
from app.telemetry.metrics import observe_job
from app.worker.queries import WorkerQueries

MAX_RUNS_ALONE = 2
"""How often a job may kill its worker with no other suspect beside it."""
PATIENCE_SECONDS = 1
"""How long a job lets others go first, for each time that it was run alone."""

_log = structlog.get_logger()


class WorkersKilled(GiveUp):
    """Each worker that began this job has died of it, or of something beside it."""


class Interrupted(Exception):
    """The job was cancelled by something other than its worker."""


class JobLost(Exception):
    """Another worker has taken the job over, for this one was silent for too long."""


@dataclass(slots=True)
class _Attempt:
    """How far an attempt has come."""

    is_begun: bool = False


class Attempts(AbstractEntrypointExecutor):
    """Does the jobs of one kind, and decides what becomes of one that fails."""

    def __init__(
        self,
        handler: Handler,
        *,
        queries: WorkerQueries,
        resources: Resources,
        turn: asyncio.Lock,
    ) -> None:
        super().__init__(
            EntrypointExecutorParameters(
                concurrency_limit=0, func=self.execute, on_failure="hold"
            )
        )
        self._handler = handler
        self._queries = queries
        self._resources = resources
        self._turn = turn

    @override
    async def execute(self, job: PickedJob, context: Context) -> None:
        """Do a job, and see to what becomes of it; pgqueuer is told of no failure.

        A queue that cannot be told of the end has the job begun again.
        """
        started, outcome = time.perf_counter(), "failed"
        request_id.set(_header(job, REQUEST))
        try:
            outcome = await self._outcome(job)
        except NO_DATABASE as error:
            _log.warning(
                "the end of a job could not be written down; it is begun again",
                **_named(job),
                error=type(error).__name__,
            )
        finally:
            seconds = time.perf_counter() - started
            observe_job(job.entrypoint, outcome, seconds)
            _log.info(
                "job",
                **_named(job),
                outcome=outcome,
                duration_ms=round(seconds * 1000, 2),
            )

    async def _outcome(self, job: PickedJob) -> str:
        attempt = _Attempt()
        try:
            await self._execute(job, attempt)
        except JobLost:
            return "lost"
        except asyncio.CancelledError:
            if not _is_stopped():  # then it comes from what the handler called
                error = Interrupted("Something that it waited for was cancelled.")
                return await self._fail(job, error)
            await self._queries.put_back(
                job, delay=NOW, error=None, failed=False, begun=attempt.is_begun
            )
            return "stopped"
        except Exception as error:  # noqa: BLE001 - whatever it is, it is kept
            return await self._fail(job, error)
        return "done"

    async def _fail(self, job: PickedJob, error: Exception) -> str:
        """Hold a job, or have it tried again."""
        retries = self._handler.job.retries
        if isinstance(error, GiveUp) or job.attempts >= retries.limit:
            await self._queries.hold(job, error)
            _log.error("a job is held", **_named(job), exc_info=error)
            return "held"
        attempt = job.attempts + 1
        delay = retries.delay(attempt)
        await self._queries.put_back(job, delay=delay, error=error, failed=True)
        _log.warning(
            "a job has failed; it is tried again",
            **_named(job),
            attempt=attempt,
            seconds=round(delay.total_seconds()),
            error=type(error).__name__,
        )
        return "retried"

    async def _execute(self, picked: PickedJob, attempt: _Attempt) -> None:
        job = self._read(picked)
        async with self._alone_if_suspect(picked):
            attempt.is_begun = True
            async with asyncio.timeout(job.time_limit.total_seconds()):
                await self._run(job, picked)

    def _read(self, picked: PickedJob) -> Job:
        try:
            return self._handler.job.model_validate_json(picked.payload or b"")
        except ValidationError as error:
            # Its text would hold the payload.
            where = ", ".join(str(e["loc"]) for e in error.errors(include_input=False))
            raise GiveUp(f"The payload is not one of this kind: {where}") from None

    async def _run(self, job: Job, picked: PickedJob) -> None:
        assert picked.queue_manager_id is not None
        async with self._resources.sessions() as session:
            work = Work(self._resources, session)
            await self._handler.run(job, work)
            if not session.in_transaction():  # there is nothing that belongs together
                if not await self._queries.finish(picked):
                    raise JobLost
                return
            jobs = JobRepository(session)
            if not await jobs.finish(picked.id, worker=picked.queue_manager_id):
                raise JobLost
            await session.commit()

    @contextlib.asynccontextmanager
    async def _alone_if_suspect(self, job: PickedJob) -> AsyncIterator[None]:
        """Let suspects run one after the other, and none of them too often.

        Whichever of them kills the worker is then known: those that only were beside it
        are done, and it is held. Who ran alone before lets the others go first.
        """
        if not self._queries.is_suspect(job):
            yield
            return
        await asyncio.sleep(PATIENCE_SECONDS * int(_header(job, ALONE) or 0))
        async with self._turn:
            runs = await self._queries.runs_alone(job)
            if not runs:
                raise JobLost
            if runs > MAX_RUNS_ALONE:
                raise WorkersKilled(f"Its worker died {runs} times while it ran.")
            _log.warning("a job was begun and never ended", **_named(job), runs=runs)
            yield


def _is_stopped() -> bool:
    """Tell whether the worker has cancelled this job, and not the job something."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _header(job: PickedJob, name: str) -> str | None:
    value = (job.headers or {}).get(name)
    return None if value is None else str(value)


def _named(job: PickedJob) -> dict[str, object]:
    return {"job": job.id, "type": job.entrypoint}
