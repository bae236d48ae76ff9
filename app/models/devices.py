"""The devices that a user has signed in from."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now
from app.models.sessions import DEVICE_MAX


class UserDevice(Base):
    """A device by its name; it is remembered longer than its sessions last."""

    __tablename__ = "user_devices"
    __table_args__ = (
        UniqueConstraint("user_id", "device"),
        Index(None, "last_seen_at"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    device: Mapped[str] = mapped_column(String(DEVICE_MAX))
    last_seen_at: Mapped[datetime] = mapped_column(default=utc_now)
