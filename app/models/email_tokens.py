"""Tokens of links in mails: who holds one, reads the mails of its address."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now
from app.models.users import EMAIL_MAX

PURPOSE_MAX = 30


class Purpose(StrEnum):
    VERIFY_EMAIL = "verify_email"
    CHANGE_EMAIL = "change_email"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - a purpose and no password


class EmailToken(Base):
    """A token that has not been used. A user has one of a kind: the newest.

    Of its text there is only a hash; the mail's job derives it anew from the id.
    """

    __tablename__ = "email_tokens"
    __table_args__ = (
        UniqueConstraint("user_id", "purpose"),
        UniqueConstraint("token_hash"),
        Index(None, "expires_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[str] = mapped_column(String(PURPOSE_MAX))
    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    """The address that it is mailed to."""
    token_hash: Mapped[bytes]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class EmailTokenRow:
    """A token that is good now, with the account that it is for."""

    id: UUID
    user_id: UUID
    purpose: str
    email: str
    token_hash: bytes
    user_email: str
    user_full_name: str
