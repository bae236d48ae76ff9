"""From a mail as data to one that can be sent."""

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from urllib.parse import quote

from email_validator import validate_email

from app.mail.messages import LinkMail, Mail, PageMail, one_line
from app.mail.rendering import render

_REFERENCE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")

# What structures a list of addresses. It could stand in quotes, but the library loses
# these where it folds a long line, and a part of the name would be an address.
_SPECIALS = re.compile(r'[()<>\[\]:;@\\,"]')

# Somebody may sign up with the address of somebody else and a name that is a message
# to them, so what mail programs would make a link of is no name to greet with.
_LINK = re.compile(r"[/:@]|\.\w{2}")


class Composer:
    """Writes mails in the name of one installation."""

    def __init__(self, *, project_name: str, public_url: str, sender: str) -> None:
        self._project = one_line(project_name)
        self._url = public_url
        name, _, address = sender.rpartition("<")
        self._sender = _mailbox(address.rstrip(">"), name=name or self._project)

    def compose(self, mail: Mail, *, token: str | None, reference: str) -> EmailMessage:
        """Write a mail; sent twice with the same reference, it is known as one."""
        if not _REFERENCE.fullmatch(reference):
            raise ValueError("a reference is made of letters, digits, -, _ and .")
        name = None if _LINK.search(mail.full_name) else mail.full_name
        to = _mailbox(mail.to, name=name or "")
        message = EmailMessage(policy=SMTP if to.addr_spec.isascii() else SMTPUTF8)
        message["From"] = self._sender
        message["To"] = to
        subject = mail.subject.format(project=self._project, mail=mail)
        message["Subject"] = subject
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = f"<{reference}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        words = render(
            mail,
            subject=subject,
            project=self._project,
            name=name,
            link=self._link(mail, token),
        )
        # Plain, a link can be read and copied from the source of the mail.
        cte = "7bit" if words.text.isascii() else "quoted-printable"
        message.set_content(words.text, cte=cte)
        message.add_alternative(words.html, subtype="html", cte="quoted-printable")
        return message

    def _link(self, mail: Mail, token: str | None) -> str | None:
        if not isinstance(mail, PageMail):
            return None
        page = f"{self._url}{mail.page}"
        if not isinstance(mail, LinkMail):
            return page
        if token is None:
            raise ValueError("a mail with a link needs a token")
        return f"{page}?token={quote(token, safe='')}"


def _mailbox(address: str, *, name: str) -> Address:
    """Name an address, with its domain as servers without SMTPUTF8 know it."""
    local, _, domain = address.rpartition("@")
    display = one_line(_SPECIALS.sub(" ", name))
    return Address(display, local, domain if domain.isascii() else _ascii(domain))


def _ascii(domain: str) -> str:
    found = validate_email(
        f"x@{domain}", check_deliverability=False, test_environment=True
    )
    return found.ascii_domain
