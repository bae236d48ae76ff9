"""Sessions: what a sign-in begins and a logout ends."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now

DEVICE_MAX = 100
IP_MAX = 45  # of IPv6 in its longest spelling


class UserSession(Base):
    """A sign-in on a device. An ended session is a deleted row.

    Of the refresh tokens it keeps no more than it takes to recognise the newest one and
    the one before, and to answer the latter again with the same successor.
    """

    __tablename__ = "user_sessions"
    __table_args__ = (
        Index(None, "user_id", "created_at", "id"),
        Index(None, "expires_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    device: Mapped[str] = mapped_column(String(DEVICE_MAX))
    ip: Mapped[str | None] = mapped_column(String(IP_MAX))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    generation: Mapped[int]
    """How many refresh tokens the session has had."""
    token_hash: Mapped[bytes]
    parent_hash: Mapped[bytes | None]
    nonce: Mapped[bytes | None]
    """What the newest token was derived with, from the one before."""
    rotated_at: Mapped[datetime | None]
    impersonator_id: Mapped[UUID | None]
    """The superuser whose session it is, as if they were the user."""


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A session as its user sees it, in this order."""

    id: UUID
    device: str
    ip: str | None
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    current: bool
