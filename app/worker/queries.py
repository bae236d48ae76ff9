"""pgqueuer's queries, made safe against workers that die or lose their database."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pgqueuer.adapters.persistence.qb import (
    QueryBuilderEnvironment,
    QueryQueueBuilder,
    QuerySchedulerBuilder,
)
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.types import (
    JOB_STATUS,
    HealthCheckId,
    QueueEntrypoint,
    QueueManagerId,
)
from pgqueuer.ports.driver import Driver
from pgqueuer.ports.repository import EntrypointExecutionParameter
from typing_extensions import override

from app.db.repositories.jobs import ALONE
from app.worker.listening import ListeningDriver
from app.worker.names import NAMES

MAX_TEXT = 20_000
"""Characters of an error that are kept."""

# Begun more than once without an end in between: its worker was killed, or lost it.
_SUSPECTS = """
    SELECT begun.job_id
    FROM jobs.log begun
    WHERE begun.job_id = ANY($1) AND begun.status = 'picked'
      AND NOT EXISTS (
        SELECT FROM jobs.log ended
        WHERE ended.job_id = begun.job_id AND ended.status <> 'picked'
          AND ended.id > begun.id
      )
    GROUP BY begun.job_id
    HAVING count(*) > 1
"""
_RUN_ALONE = """
    UPDATE jobs.queue
    SET headers = coalesce(headers, '{}')
      || jsonb_build_object($3::text, coalesce((headers->>$3)::int, 0) + 1)
    WHERE id = $1 AND queue_manager_id = $2 AND status = 'picked'
    RETURNING (headers->>$3)::int AS runs
"""
_FINISH = """
    UPDATE jobs.queue SET status = 'successful', updated = now()
    WHERE id = $1 AND queue_manager_id = $2 AND status = 'picked'
    RETURNING id
"""
_PUT_BACK = """
    WITH changed AS (
      UPDATE jobs.queue
      SET status = 'queued', queue_manager_id = NULL, updated = now(),
        execute_after = now() + $3::interval, attempts = attempts + $4,
        headers = CASE WHEN $5 THEN headers - $6::text ELSE headers END
      WHERE id = $1 AND queue_manager_id = $2 AND status = 'picked'
      RETURNING id, entrypoint, priority
    )
    INSERT INTO jobs.log (job_id, status, entrypoint, priority, traceback)
    SELECT id, 'queued', entrypoint, priority, $7::jsonb FROM changed WHERE $5
"""
_HOLD = """
    WITH changed AS (
      UPDATE jobs.queue
      SET status = 'failed', queue_manager_id = NULL, updated = now()
      WHERE id = $1 AND queue_manager_id = $2 AND status = 'picked'
      RETURNING id, entrypoint, priority
    )
    INSERT INTO jobs.log (job_id, status, entrypoint, priority, traceback)
    SELECT id, 'failed', entrypoint, priority, $3::jsonb FROM changed
"""
_DELETE_DONE = """
    WITH done AS (
      DELETE FROM jobs.queue
      WHERE id = ANY($1) AND queue_manager_id = $2 AND status = 'successful'
      RETURNING id, entrypoint, priority
    )
    INSERT INTO jobs.log (job_id, status, entrypoint, priority)
    SELECT id, 'successful', entrypoint, priority FROM done
"""

Ending = tuple[Job, JOB_STATUS, TracebackRecord | None]


class WorkerQueries(Queries):
    """What a worker asks of the queue.

    Each statement changes only what this worker still has and has not ended: so a job
    that another worker has taken over is left to that one, and one whose commit was
    done, though nobody heard of it, is not done again.
    """

    def __init__(self, driver: Driver) -> None:
        super().__init__(
            driver,
            qbe=QueryBuilderEnvironment(NAMES),
            qbq=QueryQueueBuilder(NAMES),
            qbs=QuerySchedulerBuilder(NAMES),
        )
        self.lost = asyncio.Event()
        """Set when the queue could not be asked: pgqueuer takes no further job then."""
        self._suspects: set[int] = set()

    @override
    async def dequeue(
        self,
        batch_size: int,
        entrypoints: dict[QueueEntrypoint, EntrypointExecutionParameter],
        queue_manager_id: QueueManagerId,
        global_concurrency_limit: int | None,
        heartbeat_timeout: timedelta,
    ) -> list[Job]:
        """Take jobs, and find out which of them may have killed their workers."""
        try:
            jobs = await super().dequeue(
                batch_size,
                entrypoints,
                queue_manager_id,
                global_concurrency_limit,
                heartbeat_timeout,
            )
            if jobs:
                ids = [job.id for job in jobs]
                self._suspects.difference_update(ids)
                self._suspects |= _ids(await self.driver.fetch(_SUSPECTS, ids))
        except Exception:
            self.lost.set()
            raise
        return jobs

    def is_suspect(self, job: Job) -> bool:
        """Tell, once, whether a job has been begun before without an end."""
        suspected = job.id in self._suspects
        self._suspects.discard(job.id)
        return suspected

    async def runs_alone(self, job: Job) -> int:
        """Note that a suspect is begun alone; return how often that was, with this."""
        rows = await self._of(job, _RUN_ALONE, ALONE)
        return int(str(rows[0]["runs"])) if rows else 0

    async def finish(self, job: Job) -> bool:
        """Mark a job as done that has begun no transaction.

        As `JobRepository.finish`, in a third of the time.
        """
        return bool(await self._of(job, _FINISH))

    async def put_back(
        self,
        job: Job,
        *,
        delay: timedelta,
        error: Exception | None,
        failed: bool,
        begun: bool = True,
    ) -> None:
        """Let a job be begun again; one that was not begun keeps what it was called."""
        attempts = 1 if failed else 0
        traceback = _traceback(job, error) if error else None
        await self._of(job, _PUT_BACK, delay, attempts, begun, ALONE, traceback)

    async def hold(self, job: Job, error: Exception) -> None:
        """Keep a job for somebody to see to."""
        await self._of(job, _HOLD, _traceback(job, error))

    @override
    async def log_jobs(self, job_status: Sequence[Ending]) -> None:
        """Delete the jobs that are marked as done; others have ended by themselves."""
        jobs = [job for job, status, _ in job_status if status == "successful"]
        if jobs:
            ids = [job.id for job in jobs]
            await self.driver.fetch(_DELETE_DONE, ids, jobs[0].queue_manager_id)
            if isinstance(self.driver, ListeningDriver):  # there is room for others
                self.driver.look(self.qbq.settings.channel)

    @override
    async def notify_health_check(self, health_check_event_id: HealthCheckId) -> None:
        """Ask whether one hears oneself, once one listens."""
        assert isinstance(self.driver, ListeningDriver)
        await self.driver.listening.wait()
        await super().notify_health_check(health_check_event_id)

    async def _of(
        self, job: Job, sql: str, *arguments: object
    ) -> list[dict[str, object]]:
        return await self.driver.fetch(sql, job.id, job.queue_manager_id, *arguments)


def _ids(rows: Sequence[dict[str, Any]]) -> set[int]:
    return {next(iter(row.values())) for row in rows}


def _traceback(job: Job, error: Exception) -> str:
    """Write an error as pgqueuer does, in text that PostgreSQL can store."""
    record = TracebackRecord.from_exception(error, job.id)
    kept = {
        "exception_message": _storable(
            record.exception_message or record.exception_type
        ),
        "traceback": _storable(record.traceback),
    }
    return record.model_copy(update=kept).model_dump_json()


def _storable(text: str) -> str:
    text = text[-MAX_TEXT:].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return text.encode("utf-8", "replace").decode()
