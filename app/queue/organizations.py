"""Jobs about organizations."""

from datetime import timedelta
from uuid import UUID

from app.queue.base import FOR_DAYS, Job


class DeleteOrganization(Job):
    """Clears away what belongs to an organization that was deleted."""

    type = "organizations.delete"
    retries = FOR_DAYS
    time_limit = timedelta(hours=1)
    priority = -5

    organization_id: UUID
