"""Jobs that put personal data together."""

from datetime import timedelta
from uuid import UUID

from app.queue.base import FOR_DAYS, Job


class ExportData(Job):
    """Writes all that is known of a user into a file, and mails them that it is there.

    The key is that of the file, and names the request: a later one has another.
    """

    type = "data_exports.make"
    retries = FOR_DAYS
    time_limit = timedelta(minutes=30)

    user_id: UUID
    key: str
