"""Profiles: how a user likes to be addressed and seen."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, TimestampMixin, VersionMixin
from app.models.changes import MASKED

LOCALE_MAX = 35  # RFC 5646, 4.4.1
TIME_ZONE_MAX = 64
AVATAR_KEY_MAX = 100
DEFAULT_LOCALE, DEFAULT_TIME_ZONE = "en", "UTC"


class UserProfile(TimestampMixin, VersionMixin, Base):
    """What a user has changed of their profile; who has changed nothing has no row."""

    __tablename__ = "user_profiles"

    id: Mapped[UUID] = mapped_column(
        "user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    locale: Mapped[str] = mapped_column(
        String(LOCALE_MAX),
        default=DEFAULT_LOCALE,
        server_default=DEFAULT_LOCALE,
        info=MASKED,
    )
    time_zone: Mapped[str] = mapped_column(
        String(TIME_ZONE_MAX),
        default=DEFAULT_TIME_ZONE,
        server_default=DEFAULT_TIME_ZONE,
        info=MASKED,
    )
    avatar_key: Mapped[str | None] = mapped_column(String(AVATAR_KEY_MAX), info=MASKED)
    """Where the storage has the picture."""


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A profile as hot reads see it, in this order."""

    id: UUID
    locale: str
    time_zone: str
    avatar_key: str | None
    updated_at: datetime
    version: int
