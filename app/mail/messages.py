"""Every mail that Zenith sends, as data: the payload of the job that sends it.

A payload never holds the token of a link, only its id.
"""

import re
import unicodedata
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from app.policy import Role

_FORGING = frozenset({"Cc", "Cs", "Zl", "Zp"})
_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_JOINT = re.compile(r"(?<=[.:@\u2024\u3002\uff0e\uff1a\uff20\uff61])(?=\S)")
_BARE_ADDRESS = re.compile(r'[^\s@"(),:;<>\[\]\\]+@[^\s@"(),:;<>\[\]\\]+')


def one_line(text: str) -> str:
    """Blank out what could begin a header or a paragraph, or turn text around.

    An encoded word (``=?utf-8?q?=0D=0A?=``) would be decoded after this look at it.
    """
    blanked = (
        " " if unicodedata.category(c) in _FORGING or c in _TURNING else c
        for c in text.replace("=?", " ")
    )
    return " ".join("".join(blanked).split())


def _address(text: str) -> str:
    """Refuse what is not one bare address; whether it exists, only a mail can tell.

    The standard library decodes an encoded word even there, whatever comes out.
    """
    is_bare = text.isprintable() and _BARE_ADDRESS.fullmatch(text)
    if not is_bare or "=?" in text:
        raise ValueError("not an e-mail address")
    return text


def _unlinked(text: str) -> str:
    """Part what mail programs would make a link of: ``www. evil. example``."""
    return _JOINT.sub(" ", text)


Address = Annotated[str, AfterValidator(_address)]
Line = Annotated[str, AfterValidator(one_line)]
Unlinked = Annotated[Line, AfterValidator(_unlinked)]
"""A name that a stranger has chosen: it may be a message, and leads nowhere."""


class Mail(BaseModel):
    """What every mail knows: its kind, and to whom it goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    subject: ClassVar[str]
    """May name the project, as ``{project}``, and fields, as ``{mail.kind}``."""

    kind: str
    to: Address
    full_name: Line


class PageMail(Mail):
    """A mail with a link to a page, where one has to sign in."""

    page: ClassVar[str]
    """Where the link leads, below PUBLIC_URL."""


class LinkMail(PageMail):
    """A mail whose link holds a token, which is good for one thing and some time."""

    valid_for: ClassVar[timedelta]

    token_id: UUID


class _VerifyingMail(LinkMail):
    page = "/verify-email"
    valid_for = timedelta(hours=48)


class Welcome(_VerifyingMail):
    subject = "Welcome to {project}: verify your e-mail address"
    kind: Literal["welcome"] = "welcome"


class VerifyEmail(_VerifyingMail):
    subject = "Verify your e-mail address"
    kind: Literal["verify_email"] = "verify_email"


class ConfirmNewEmail(_VerifyingMail):
    """To the address that is to become the user's."""

    subject = "Verify your new e-mail address"
    kind: Literal["confirm_new_email"] = "confirm_new_email"


class ResetPassword(LinkMail):
    subject = "Reset your password"
    page = "/reset-password"
    valid_for = timedelta(hours=1)
    kind: Literal["reset_password"] = "reset_password"


class InvitationMail(LinkMail):
    """To an address that may have no account, and by whom nobody is known."""

    subject = "Invitation to join {mail.organization}"
    page = "/invitation"
    valid_for = timedelta(days=7)
    kind: Literal["invitation"] = "invitation"
    full_name: Line = ""
    organization_id: UUID
    invitation_id: UUID
    organization: Unlinked
    role: Role
    inviter: Unlinked | None
    """None where an API key has done it."""
    invited_by: UUID | None


class EmailChangeRequested(Mail):
    """To the address that the user still has."""

    subject = "Your e-mail address is about to change"
    kind: Literal["email_change_requested"] = "email_change_requested"
    new_email: Address


class EmailChanged(Mail):
    """To the address that the user had, for the last time."""

    subject = "Your e-mail address was changed"
    kind: Literal["email_changed"] = "email_changed"
    new_email: Address


class PasswordChanged(Mail):
    subject = "Your password was changed"
    kind: Literal["password_changed"] = "password_changed"
    at: AwareDatetime
    was_reset: bool
    """Whether by a link of a mail, rather than with the old password."""


class NewDevice(Mail):
    subject = "New sign-in to your account"
    kind: Literal["new_device"] = "new_device"
    device: Line
    ip: Line | None
    at: AwareDatetime


class DataExportReady(PageMail):
    subject = "Your data export is ready"
    page = "/settings/export"
    kind: Literal["data_export_ready"] = "data_export_ready"
    expires_at: AwareDatetime


class AccountDeleted(Mail):
    subject = "Your account was deleted"
    kind: Literal["account_deleted"] = "account_deleted"


AnyMail = Annotated[
    Welcome
    | VerifyEmail
    | ConfirmNewEmail
    | ResetPassword
    | InvitationMail
    | EmailChangeRequested
    | EmailChanged
    | PasswordChanged
    | NewDevice
    | DataExportReady
    | AccountDeleted,
    Field(discriminator="kind"),
]
