"""Durable jobs: pgqueuer's tables, which a migration of ours has made."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Enum,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "jobs"

JobStatus: TypeAlias = Literal["queued", "running", "held"]
"""``held``: it has failed for good, or killed its workers, and waits for somebody."""

# Not of `Base`: what they are like is for pgqueuer to say, and not for Alembic.
_metadata = MetaData(schema=SCHEMA)
_status = Enum(
    "queued",
    "picked",
    "successful",
    "exception",
    "canceled",
    "deleted",
    "failed",
    name="status",
    schema=SCHEMA,
)
_time = DateTime(timezone=True)

QUEUE = Table(
    "queue",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("priority", Integer, nullable=False),
    Column("queue_manager_id", Uuid),
    Column("created", _time, nullable=False),
    Column("updated", _time, nullable=False),
    Column("heartbeat", _time, nullable=False),
    Column("execute_after", _time, nullable=False),
    Column("status", _status, nullable=False),
    Column("entrypoint", Text, nullable=False),
    Column("dedupe_key", Text),
    Column("payload", LargeBinary),
    Column("headers", JSONB),
    Column("attempts", Integer, nullable=False),
)
"""Jobs that are to be done, are being done, or are held."""

LOG = Table(
    "log",
    _metadata,
    Column("id", BigInteger, primary_key=True),
    Column("created", _time, nullable=False),
    Column("job_id", BigInteger, nullable=False),
    Column("status", _status, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("entrypoint", Text, nullable=False),
    Column("traceback", JSONB),
)
"""What has happened to jobs, those that are done among them."""


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as an operator sees it, in this order."""

    id: int
    type: str
    status: JobStatus
    priority: int
    attempts: int
    """How often it was tried and is to be tried again."""
    payload: str
    """JSON."""
    error: str | None
    """Why the last attempt failed."""
    created_at: datetime
    run_at: datetime
    """Before this it is not begun."""


@dataclass(frozen=True, slots=True)
class QueueState:
    """What an alert looks at."""

    held: int
    oldest_due_seconds: float
    """Since a job could have been begun that waits the longest; 0 if none does."""


@dataclass(frozen=True, slots=True)
class JobEventRow:
    """One step of a job's history."""

    status: str
    created_at: datetime
    error: str | None
    traceback: str | None


@dataclass(frozen=True, slots=True)
class JobHistory:
    """A job with all that has happened to it; one that is done is history only."""

    job: JobRow | None
    events: list[JobEventRow]
