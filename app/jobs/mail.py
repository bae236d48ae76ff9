"""Sends mails."""

import asyncio

import structlog

from app.db.repositories.email_tokens import EmailTokenReader
from app.integrations.mail.mailer import MailRejected
from app.jobs.handlers import GiveUp, Work
from app.mail.messages import LinkMail
from app.queue.mails import SendMail

_log = structlog.get_logger()


async def send_mail(job: SendMail, work: Work) -> None:
    """Send a mail, unless its link is no longer good.

    Idempotent as far as mail can be: a worker that is killed between the server's
    "250 OK" and the end of the job sends it again, with the same token and the same
    Message-ID. In a folder the second takes the place of the first.
    """
    token = None
    if isinstance(job.mail, LinkMail):
        token = await _token(job.mail, work)
        if token is None:
            _log.info("a mail is not sent: its link is void", kind=job.mail.kind)
            return
    resources = work.resources
    message = await asyncio.to_thread(
        resources.composer.compose, job.mail, token=token, reference=str(job.id)
    )
    try:
        await resources.mailer.send(message)
    except MailRejected as error:
        raise GiveUp(str(error)) from error


async def _token(mail: LinkMail, work: Work) -> str | None:
    row = await EmailTokenReader(work.resources.reader).by_id(mail.token_id)
    if row is None:
        return None
    text = work.resources.email_tokens.text(row.id, hash=row.token_hash)
    if text is None:
        raise GiveUp("Another SECRET_KEY has made the token: it is not the same here.")
    return text
