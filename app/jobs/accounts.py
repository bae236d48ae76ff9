"""Does what requests about accounts leave to be done."""

from app.jobs.handlers import Work
from app.queue.mails import MailReset
from app.services.account_mails import AccountMails
from app.services.recovery import ResetMails


async def mail_reset(job: MailReset, work: Work) -> None:
    """Make a token and put its mail into the queue.

    Idempotent: both are in the transaction that ends the job.
    """
    resources = work.resources
    mails = AccountMails(work.session, resources.email_tokens, resources.limiter)
    await ResetMails(work.session, mails).send(job.email)
