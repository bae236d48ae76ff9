"""Clears away what nobody needs any more."""

import structlog

from app.db.repositories.housekeeping import HousekeepingRepository
from app.jobs.handlers import Work
from app.queue.housekeeping import Sweep
from app.telemetry.metrics import count_swept

BATCH = 1000
MAX_BATCHES = 500
"""Of one run; what is left then waits for the next one."""

_log = structlog.get_logger()


async def sweep(job: Sweep, work: Work) -> None:
    """Delete what is out of date, in batches that hold no lock for long.

    Idempotent: what is deleted is not found again.
    """
    swept = 0
    for _ in range(MAX_BATCHES):
        async with work.resources.sessions.begin() as session:
            deleted = await HousekeepingRepository(session).sweep(job.what, limit=BATCH)
        swept += deleted
        count_swept(job.what, deleted)
        if deleted < BATCH:
            break
    _log.info("swept", what=job.what, rows=swept)
