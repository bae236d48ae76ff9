"""Sends mails."""

import asyncio

import structlog

from app.db.reader import Reader
from app.db.repositories.email_tokens import EmailTokenReader
from app.db.repositories.invitations import InvitationReader
from app.integrations.mail.mailer import MailRejected
from app.jobs.handlers import GiveUp, Work
from app.mail.messages import InvitationMail, LinkMail
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
    hashed = await _hash(mail, work.resources.reader)
    if hashed is None:
        return None
    text = work.resources.email_tokens.text(mail.token_id, hash=hashed)
    if text is None:
        raise GiveUp("Another SECRET_KEY has made the token: it is not the same here.")
    return text


async def _hash(mail: LinkMail, reader: Reader) -> bytes | None:
    """Return the hash of the mail's token, if its link would be good now."""
    if isinstance(mail, InvitationMail):
        invitations = InvitationReader(reader, mail.organization_id)
        return await invitations.hash_to_mail(
            mail.invitation_id, token_id=mail.token_id
        )
    row = await EmailTokenReader(reader).by_id(mail.token_id)
    return row.token_hash if row else None
