"""Jobs that send mails."""

from datetime import timedelta
from uuid import UUID

from pydantic import Field

from app.mail.messages import AnyMail
from app.models.base import new_id
from app.queue.base import FOR_DAYS, Job


class SendMail(Job):
    """Sends a mail; for some three days, if its server is away."""

    type = "mail.send"
    retries = FOR_DAYS
    time_limit = timedelta(minutes=1)

    mail: AnyMail
    id: UUID = Field(default_factory=new_id)
    """Its Message-ID: who gets the mail twice can tell by it."""


class MailReset(Job):
    """Mails the link that resets a password, if the address has an account.

    Whether it has is found out here and not by the request, which takes as long and
    answers the same for each address.
    """

    type = "mail.reset"
    priority = 5  # somebody waits for it

    email: str
