"""What every way to send a mail promises."""

from email.message import EmailMessage
from typing import Protocol


class MailUnavailable(Exception):
    """A mail cannot go now: try again later."""


class MailRejected(Exception):
    """A mail will never go."""


class Mailer(Protocol):
    """Sends mails; its errors name no address, no host and no secret."""

    async def send(self, message: EmailMessage) -> None:
        """Hand a mail over; raise `MailUnavailable` or `MailRejected`."""
