"""Queries about durable jobs."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    Interval,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.errors import JobRunning, NotFound
from app.models.jobs import LOG, QUEUE, JobEventRow, JobHistory, JobRow, QueueState
from app.pagination import PageRequest, Slice

SILENCE = timedelta(seconds=30)
"""After this, nobody is doing a job that nobody else has taken over."""
MAX_EVENTS = 200
"""Of a job that are shown: the last ones."""
NO_JOB = "No job has this id."
REQUEST = "request_id"
"""The header that names the request, or the job's one, that a job comes from."""
ALONE = "alone"
"""The header that counts how often a job was run with no other suspect beside it."""

# Without parameters: PostgreSQL has to recognise the condition of the unique index.
_WAITS_OR_RUNS = text("status IN ('queued', 'picked') AND dedupe_key IS NOT NULL")
_LOGGED = ("job_id", "status", "entrypoint", "priority")

_error = LOG.c.traceback["exception_message"].astext
_last_error = (
    select(_error)
    .where(LOG.c.job_id == QUEUE.c.id, LOG.c.traceback.is_not(None))
    .order_by(LOG.c.created.desc())
    .limit(1)
    .scalar_subquery()
)
_status: ColumnElement[str] = case(
    (QUEUE.c.status == "queued", "queued"),
    (QUEUE.c.status == "picked", "running"),
    else_="held",
)
_is_done = (QUEUE.c.status == "successful").label("is_done")
# A worker that is dead says nothing any more.
_is_running = (
    (QUEUE.c.status == "picked") & (QUEUE.c.heartbeat > func.now() - SILENCE)
).label("is_running")
_jobs = select(
    QUEUE.c.id,
    QUEUE.c.entrypoint.label("type"),
    _status.label("status"),
    QUEUE.c.priority,
    QUEUE.c.attempts,
    func.convert_from(QUEUE.c.payload, "UTF8").label("payload"),
    _last_error.label("error"),
    QUEUE.c.created.label("created_at"),
    QUEUE.c.execute_after.label("run_at"),
).where(QUEUE.c.status != "successful")  # those are deleted in a moment

JOBS = Listing(
    "jobs",
    _jobs,
    JobRow,
    key=QUEUE.c.id,
    sorts={"created_at": QUEUE.c.id},  # ids are given in this order
    filters={
        "status": _status == bindparam("status"),
        "type": QUEUE.c.entrypoint == bindparam("type"),
    },
)
JOB_BY_ID = Query(_jobs.where(QUEUE.c.id == bindparam("id")), JobRow)
EVENTS_OF_JOB = Query(
    select(
        case(
            (LOG.c.status == "picked", "begun"),
            (LOG.c.status == "failed", "held"),
            (LOG.c.status == "successful", "done"),
            (LOG.c.status == "deleted", "discarded"),
            else_=LOG.c.status.cast(QUEUE.c.entrypoint.type),
        ).label("status"),
        LOG.c.created.label("created_at"),
        _error.label("error"),
        LOG.c.traceback["traceback"].astext.label("traceback"),
    )
    .where(LOG.c.job_id == bindparam("id"))
    .order_by(LOG.c.created.desc(), LOG.c.id.desc())
    .limit(MAX_EVENTS),
    JobEventRow,
)


def _again(which: ColumnElement[bool]) -> Any:
    return (
        update(QUEUE)
        .where(which)
        .values(
            status="queued",
            attempts=0,
            queue_manager_id=None,
            updated=func.now(),
            execute_after=func.now(),
            headers=QUEUE.c.headers.op("-")(ALONE),
        )
    )


def logged(change: Any, status: str) -> Any:
    """Change a job and write that down, in one statement that returns the job's id."""
    changed = change.returning(QUEUE.c.id, QUEUE.c.entrypoint, QUEUE.c.priority)
    changed = changed.cte("changed")
    event = select(
        changed.c.id,
        literal(status, LOG.c.status.type),
        changed.c.entrypoint,
        changed.c.priority,
    )
    return insert(LOG).from_select(_LOGGED, event).returning(LOG.c.job_id)


_PUT = logged(
    upsert(QUEUE)
    .values(
        entrypoint=bindparam("type"),
        payload=bindparam("payload"),
        priority=bindparam("priority"),
        dedupe_key=bindparam("key"),
        headers=bindparam("headers"),
        status="queued",
        execute_after=func.now() + bindparam("delay", type_=Interval),
    )
    .on_conflict_do_nothing(
        index_elements=[QUEUE.c.dedupe_key], index_where=_WAITS_OR_RUNS
    ),
    "queued",
)
_FINISH = (
    update(QUEUE)
    .where(
        QUEUE.c.id == bindparam("job"),
        QUEUE.c.queue_manager_id == bindparam("worker"),
        QUEUE.c.status == "picked",
    )
    .values(status="successful", updated=func.now())
    .returning(QUEUE.c.id)
)

_due = func.now() - func.min(QUEUE.c.execute_after).filter(QUEUE.c.status == "queued")
STATE = Query(
    select(
        func.count().filter(QUEUE.c.status == "failed").label("held"),
        func.greatest(
            func.coalesce(func.extract("epoch", _due), 0).cast(Double), 0
        ).label("oldest_due_seconds"),
    ).select_from(QUEUE),
    QueueState,
)


class JobReader:
    """Reads of jobs, for those who see to them."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, request: PageRequest) -> Slice[JobRow]:
        return await JOBS.page(self._reader, request)

    async def state(self) -> QueueState:
        state = await self._reader.one(STATE)
        assert state is not None
        return state

    async def history(self, id: int) -> JobHistory:
        """Return a job that waits, runs, is held or was done not long ago."""
        job = await self._reader.one(JOB_BY_ID, id=id)
        events = await self._reader.all(EVENTS_OF_JOB, id=id)
        if job is None and not events:
            raise NotFound(NO_JOB)
        return JobHistory(job, events[::-1])


class JobRepository:
    """Jobs, in the transaction of what they belong to."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(
        self,
        type: str,
        payload: bytes,
        *,
        delay: timedelta,
        priority: int,
        key: str | None,
        headers: Mapping[str, str],
    ) -> int | None:
        """Store a job; return its id, or None if one with this key waits or runs."""
        job = {
            "type": type,
            "payload": payload,
            "delay": delay,
            "priority": priority,
            "key": key,
            "headers": headers,
        }
        id_: int | None = await self._session.scalar(_PUT, job)
        return id_

    async def finish(self, id: int, *, worker: UUID) -> bool:
        """Mark a job as done; tell whether this worker still had it.

        The worker deletes such rows in batches: each DELETE tells all that listen, and
        transactions that do wait for each other's commits.
        """
        done = await self._session.execute(_FINISH, {"job": id, "worker": worker})
        return done.first() is not None

    async def retry(self, id: int) -> None:
        """Let a job begin now, as if it had never failed.

        Raises `JobRunning`, and a `Conflict` where another with its key waits.
        """
        await self._lock(id)
        await self._session.execute(logged(_again(QUEUE.c.id == id), "queued"))

    async def retry_held(self, type: str) -> int:
        """Let all held jobs of a kind begin now; return how many these are.

        Of those with one key it is the last one, if no other waits already.
        """
        held = (QUEUE.c.entrypoint == type) & (QUEUE.c.status == "failed")
        same = QUEUE.alias()
        rival = exists().where(
            same.c.dedupe_key == QUEUE.c.dedupe_key,
            same.c.status.in_(["queued", "picked"])
            | ((same.c.status == "failed") & (same.c.id > QUEUE.c.id)),
        )
        found = await self._session.scalars(logged(_again(held & ~rival), "queued"))
        return len(found.all())

    async def discard(self, id: int) -> None:
        """Take a job away undone; raise `JobRunning` if it is being done."""
        await self._lock(id)
        gone = delete(QUEUE).where(QUEUE.c.id == id)
        await self._session.execute(logged(gone, "deleted"))

    async def forget(
        self,
        type: str,
        holding: Mapping[str, Any],
        *,
        but: Mapping[str, Any] | None = None,
        held_only: bool = False,
    ) -> None:
        """Take jobs away that hold this in their payload and are not being done.

        Those that hold ``but`` stay.
        """
        payload = func.convert_from(QUEUE.c.payload, "UTF8").cast(JSONB)
        forgotten = ["failed"] if held_only else ["queued", "failed"]
        gone = (
            delete(QUEUE)
            .where(QUEUE.c.entrypoint == type, QUEUE.c.status.in_(forgotten))
            .where(payload.contains(holding))
        )
        if but is not None:
            gone = gone.where(~payload.contains(but))
        await self._session.execute(logged(gone, "deleted"))

    async def _lock(self, id: int) -> None:
        found = select(_is_done, _is_running).where(QUEUE.c.id == id)
        job = (await self._session.execute(found.with_for_update())).one_or_none()
        if job is None or job.is_done:
            raise NotFound(NO_JOB)
        if job.is_running:
            raise JobRunning("A worker is doing this job now.")
