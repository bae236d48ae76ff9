"""One mail of each kind, as it may be sent: to look at, and to test with."""

from datetime import UTC, datetime
from uuid import UUID

from app.mail.messages import (
    AccountDeleted,
    AnyMail,
    ConfirmNewEmail,
    DataExportReady,
    EmailChanged,
    EmailChangeRequested,
    InvitationMail,
    NewDevice,
    PasswordChanged,
    ResetPassword,
    VerifyEmail,
    Welcome,
)
from app.policy import Role

TOKEN = "Zm9yIHRoZSBzYWtlIG9mIHRoZSBwcmV2aWV3IG9ubHk"  # noqa: S105 - opens nothing

_AT = datetime(2026, 7, 26, 8, 41, tzinfo=UTC)
_ID = UUID("0198446f-52a5-7c1e-9d5c-3f1f6a2b7c10")
_TO, _NAME, _NEW = "ada@example.com", "Ada Lovelace", "countess@lovelace.example"

SAMPLES: tuple[AnyMail, ...] = (
    Welcome(to=_TO, full_name=_NAME, token_id=_ID),
    VerifyEmail(to=_TO, full_name=_NAME, token_id=_ID),
    ConfirmNewEmail(to=_NEW, full_name=_NAME, token_id=_ID),
    ResetPassword(to=_TO, full_name=_NAME, token_id=_ID),
    EmailChangeRequested(to=_TO, full_name=_NAME, new_email=_NEW),
    EmailChanged(to=_TO, full_name=_NAME, new_email=_NEW),
    PasswordChanged(to=_TO, full_name=_NAME, at=_AT, was_reset=True),
    NewDevice(
        to=_TO, full_name=_NAME, device="Firefox on Linux", ip="203.0.113.7", at=_AT
    ),
    DataExportReady(to=_TO, full_name=_NAME, expires_at=_AT),
    AccountDeleted(to=_TO, full_name=_NAME),
    InvitationMail(
        to=_NEW,
        token_id=_ID,
        organization_id=_ID,
        invitation_id=_ID,
        organization="Analytical Engines Ltd",
        role=Role.ADMIN,
        inviter=_NAME,
        invited_by=_ID,
    ),
)
