"""Mails by SMTP, one connection each.

Importing this imports aiosmtplib, which is slow: do it where SMTP_URL is set.
"""

from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

from app.config import LOOPBACK_HOSTS
from app.integrations.mail.mailer import MailRejected, MailUnavailable

CONNECT_SECONDS, COMMAND_SECONDS = 5, 10
DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
PERMANENT = 500  # and above: replies of a server that will not change its mind


class Tls(StrEnum):
    """How a connection is encrypted; a certificate is always verified."""

    IMPLICIT = "implicit"
    REQUIRED = "required"
    """By STARTTLS, or nothing is sent."""
    OFFERED = "offered"
    """By STARTTLS, where the server can."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SmtpServer:
    host: str
    port: int
    tls: Tls
    username: str | None = None
    password: str | None = field(default=None, repr=False)


def server_of(url: str, *, in_production: bool) -> SmtpServer:
    """Read an SMTP_URL that the settings have checked."""
    parts = urlsplit(url)
    assert parts.hostname is not None
    return SmtpServer(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        tls=_tls_of(
            parts.scheme,
            on_loopback=parts.hostname in LOOPBACK_HOSTS,
            insists=in_production or parts.username is not None,
        ),
        username=parts.username and unquote(parts.username),
        password=parts.password and unquote(parts.password),
    )


def _tls_of(scheme: str, *, on_loopback: bool, insists: bool) -> Tls:
    """Let nothing that matters cross a network in the clear."""
    if scheme == "smtps":
        return Tls.IMPLICIT
    if scheme == "smtp+starttls":
        return Tls.REQUIRED
    if on_loopback:  # servers there often offer a certificate that nobody signed
        return Tls.NONE
    return Tls.REQUIRED if insists else Tls.OFFERED


class SmtpMailer:
    """Hands mails to one server, which then sees to them."""

    def __init__(
        self,
        server: SmtpServer,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        command_seconds: float = COMMAND_SECONDS,
    ) -> None:
        self._server = server
        self._connect_seconds = connect_seconds
        self._command_seconds = command_seconds

    async def send(self, message: EmailMessage) -> None:
        """Connect, hand the mail over, and leave."""
        client = self._client()
        try:
            await client.connect(timeout=self._connect_seconds)
            async with client:
                await client.send_message(message)
        except (SMTPException, OSError) as error:
            raise _failure(error) from None  # texts of these name hosts and addresses

    def _client(self) -> SMTP:
        server = self._server
        start_tls = {Tls.REQUIRED: True, Tls.OFFERED: None}.get(server.tls, False)
        return SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls is Tls.IMPLICIT,
            start_tls=start_tls,
            timeout=self._command_seconds,
        )


def _failure(error: Exception) -> MailUnavailable | MailRejected:
    """Tell what is wrong with this mail from what may be better later."""
    if isinstance(error, SMTPNotSupported):
        return MailRejected("the mail server cannot write to such an address")
    refusal = error.recipients[0] if isinstance(error, SMTPRecipientsRefused) else error
    if not isinstance(refusal, SMTPResponseException):
        reason = type(error).__name__
        return MailUnavailable(f"the mail server cannot be talked to ({reason})")
    is_about_this_mail = isinstance(refusal, SMTPRecipientRefused | SMTPDataError)
    if is_about_this_mail and refusal.code >= PERMANENT:
        return MailRejected(f"the mail server refused the mail ({refusal.code})")
    return MailUnavailable(f"the mail server answered {refusal.code}")
