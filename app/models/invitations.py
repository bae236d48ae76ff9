"""Invitations to an organization, each bound to an address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, TimestampMixin, VersionMixin, new_id
from app.models.changes import MASKED
from app.models.organizations import ROLE_MAX, ROLES, OrganizationScoped
from app.models.users import EMAIL_MAX
from app.policy import Role

STATUS_MAX = 10


class InvitationStatus(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"
    """Pending for too long: never stored, but told from the time."""


class Invitation(OrganizationScoped, TimestampMixin, VersionMixin, Base):
    """An offer to join; of its newest token there is only a hash."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("token_hash"),
        CheckConstraint(ROLES, "role"),
        CheckConstraint(
            "status IN ('pending', 'accepted', 'declined', 'revoked')", "status"
        ),
        Index(
            "uq_invitations_pending",
            "organization_id",
            "email",
            unique=True,
            postgresql_where="status = 'pending'",
        ),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "email", "created_at", "id"),
        Index(None, "expires_at"),
    )

    # Personal: the books, which nobody can change, do not have it.
    email: Mapped[str] = mapped_column(String(EMAIL_MAX), info=MASKED)
    role: Mapped[Role] = mapped_column(String(ROLE_MAX))
    status: Mapped[InvitationStatus] = mapped_column(String(STATUS_MAX))
    invited_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    """Who stands for it: where an API key has done it, the creator of the key."""
    token_id: Mapped[UUID] = mapped_column(default=new_id, info=MASKED)
    """What the token is derived from; resending makes another one."""
    token_hash: Mapped[bytes] = mapped_column(info=MASKED)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation as the organization sees it, in this order."""

    id: UUID
    email: str
    role: str
    status: str
    expires_at: datetime
    created_at: datetime


@dataclass(frozen=True, slots=True)
class InvitingRow:
    """An organization as those see it who are to join it."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class OwnInvitationRow(InvitationRow):
    """An invitation as its addressee sees it, in this order."""

    organization_id: UUID
    organization_name: str

    @property
    def organization(self) -> InvitingRow:
        return InvitingRow(self.organization_id, self.organization_name)
