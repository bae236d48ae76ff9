"""Users."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, TimestampMixin

EMAIL_MAX = 254
FULL_NAME_MAX = 100


class User(TimestampMixin, Base):
    """A person who signs in. ``email`` is stored normalised, so it is unique as is."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"),)

    email: Mapped[str] = mapped_column(String(EMAIL_MAX))
    full_name: Mapped[str] = mapped_column(String(FULL_NAME_MAX))
    password_hash: Mapped[str]
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_superuser: Mapped[bool] = mapped_column(default=False, server_default=false())
    email_verified_at: Mapped[datetime | None]

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None


@dataclass(frozen=True, slots=True)
class UserRow:
    """A user as hot reads see it: the columns that the API shows, in this order."""

    id: UUID
    email: str
    full_name: str
    is_active: bool
    is_superuser: bool
    email_verified: bool
    created_at: datetime
    updated_at: datetime
