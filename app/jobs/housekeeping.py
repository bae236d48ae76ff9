"""Clears away what nobody needs any more."""

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.housekeeping import HousekeepingRepository
from app.jobs.handlers import Work
from app.queue.housekeeping import Sweep, Swept
from app.services.data_exports import clear_expired_exports
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
            deleted = await _sweep_batch(session, job.what)
        swept += deleted
        count_swept(job.what, deleted)
        if deleted < BATCH:
            break
    _log.info("swept", what=job.what, rows=swept)


async def _sweep_batch(session: AsyncSession, what: Swept) -> int:
    if what is Swept.EXPORTS:  # whose files go, too
        return await clear_expired_exports(session, limit=BATCH)
    return await HousekeepingRepository(session).sweep(what, limit=BATCH)
