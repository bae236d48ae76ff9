"""Puts personal data together."""

import structlog

from app.jobs.handlers import Work
from app.queue.data_exports import ExportData
from app.services.account_mails import AccountMails
from app.services.data_exports import DataExportFiles, MadeExports
from app.services.personal_data import PersonalData

_log = structlog.get_logger()


async def export_data(job: ExportData, work: Work) -> None:
    """Store all that is known of a user, and tell them that it is there.

    Idempotent: a second time puts the file in the place of the first one, whose key is
    in the job and in the row from the beginning. So it is removed whatever happens: by
    the job, when it is begun again and finds that nobody wants it; with the row, when
    that expires; or with the folder, when the user is erased.
    """
    resources = work.resources
    files = DataExportFiles(resources.storage)
    # Its own session, which only reads: the storage may take long, locks may not.
    async with resources.sessions() as session:
        document = await PersonalData(session, job.user_id).document()
    if document is not None:
        await files.put(job.key, document)
    mails = AccountMails(work.session, resources.email_tokens, resources.limiter)
    wanted = await MadeExports(work.session, mails).finish(job.user_id, job.key)
    if not wanted:
        await files.remove(job.key)
    _log.info(
        "exported personal data" if wanted else "nobody wants the personal data",
        user_id=str(job.user_id),
        bytes=len(document or b""),
    )
