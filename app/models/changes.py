"""What is written down of every change: the audit trail, and the outbox of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now
from app.models.sessions import IP_MAX

TYPE_MAX = 60
ACTOR_TYPE_MAX = 10
TARGET_TYPE_MAX = 30
LABEL_MAX = 200
REQUEST_ID_MAX = 128

MASKED: dict[Any, Any] = {"audit": "masked"}
"""Marks a column whose values the audit trail must not hold, only that they changed."""


class AuditEvent(Base):
    """One change: who, what, when, from where. Nobody can change or delete it.

    It outlives what it tells of, so nothing in it refers to another table; and it holds
    nothing personal: users are ids, which readers look up while there is an account.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "organization_id", "actor_id", "created_at", "id"),
        Index(None, "organization_id", "target_id", "created_at", "id"),
        # To PostgreSQL "is null" is not one value, within which an index has an order.
        Index(
            "ix_audit_events_system",
            "created_at",
            "id",
            postgresql_where=text("organization_id IS NULL"),
        ),
    )

    organization_id: Mapped[UUID | None]
    """None for what concerns the whole system; superusers see that."""
    action: Mapped[str] = mapped_column(String(TYPE_MAX))
    actor_type: Mapped[str] = mapped_column(String(ACTOR_TYPE_MAX))
    actor_id: Mapped[UUID | None]
    actor_label: Mapped[str | None] = mapped_column(String(LABEL_MAX))
    """The name of an API key; of a user it is looked up."""
    impersonator_id: Mapped[UUID | None]
    target_type: Mapped[str] = mapped_column(String(TARGET_TYPE_MAX))
    target_id: Mapped[UUID]
    target_label: Mapped[str | None] = mapped_column(String(LABEL_MAX))
    changes: Mapped[dict[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None] = mapped_column(String(REQUEST_ID_MAX))
    ip: Mapped[str | None] = mapped_column(String(IP_MAX))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class OutboxEvent(Base):
    """An event of a change, until it has been told to everybody (CloudEvents 1.0)."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "position", unique=True),)

    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """Transactions commit in another order than this one."""
    transaction_id: Mapped[int] = mapped_column(
        BigInteger, server_default=text("(pg_current_xact_id()::text)::bigint")
    )
    """Whoever tells events waits for all transactions before: see `pg_snapshot`."""
    organization_id: Mapped[UUID]
    type: Mapped[str] = mapped_column(String(TYPE_MAX))
    subject: Mapped[UUID]
    """The resource that has changed: the events of one are told in their order."""
    data: Mapped[Mapping[str, Any]] = mapped_column(JSONB)
    request_id: Mapped[str | None] = mapped_column(String(REQUEST_ID_MAX))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody or something that an audit event names."""

    id: UUID | None
    label: str | None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An audit event as its readers see it, in this order."""

    id: UUID
    action: str
    actor_type: str
    actor_id: UUID | None
    actor_label: str | None
    impersonator_id: UUID | None
    impersonator_label: str | None
    target_type: str
    target_id: UUID
    target_label: str | None
    changes: str
    """JSON."""
    request_id: str | None
    ip: str | None
    created_at: datetime

    @property
    def actor(self) -> Named:
        return Named(self.actor_id, self.actor_label, self.actor_type)

    @property
    def impersonator(self) -> Named | None:
        if self.impersonator_id is None:
            return None
        return Named(self.impersonator_id, self.impersonator_label)

    @property
    def target(self) -> Named:
        return Named(self.target_id, self.target_label, self.target_type)
