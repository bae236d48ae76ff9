"""Does what requests about organizations leave to be done."""

import structlog

from app.db.repositories.closing import ClosingRepository
from app.jobs.handlers import Work
from app.queue.organizations import DeleteOrganization

BATCH = 1000

_log = structlog.get_logger()


async def delete_organization(job: DeleteOrganization, work: Work) -> None:
    """Delete all rows of an organization, in batches that hold no lock for long.

    Idempotent: what is deleted is not found again. The row of the organization itself,
    and with it the slug, goes last. The audit trail stays.
    """
    organization_id = job.organization_id
    deleted = 0
    while True:
        async with work.resources.sessions.begin() as session:
            closing = ClosingRepository(session, organization_id)
            batch = await closing.delete_batch(BATCH)
        deleted += batch
        _log.info(
            "deleting an organization",
            organization_id=str(organization_id),
            rows=deleted,
        )
        if batch < BATCH:
            break
