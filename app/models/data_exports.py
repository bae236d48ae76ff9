"""What Zenith knows of a person, put together for them on request."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now

KEY_MAX = 150


class DataExport(Base):
    """An export that is asked for or ready; of a user there is one: the newest."""

    __tablename__ = "data_exports"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[UUID] = mapped_column(
        "user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    requested_at: Mapped[datetime] = mapped_column(default=utc_now)
    ready_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]
    """Then it is cleared away, and one that is not ready has failed."""
    key: Mapped[str] = mapped_column(String(KEY_MAX))
    """Where the storage has the file, or will have it: each request has its own."""


@dataclass(frozen=True, slots=True)
class DataExportRow:
    """An export, in this order."""

    requested_at: datetime
    ready_at: datetime | None
    expires_at: datetime
    key: str
