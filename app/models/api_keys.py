"""API keys: what programs sign requests of one organization with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKeyConstraint, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, utc_now
from app.models.changes import MASKED
from app.models.organizations import NAME_MAX, OrganizationScoped

PREFIX_MAX, LAST = 12, 4
SCOPE_MAX = 40


class ApiKey(OrganizationScoped, Base):
    """A key, of whose text there is only a keyed hash. A revoked key is a deleted row.

    Its creator is a member: with the membership the database deletes the key.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("key_hash"),
        ForeignKeyConstraint(
            ["organization_id", "created_by"],
            ["memberships.organization_id", "memberships.user_id"],
            ondelete="CASCADE",
        ),
        Index(None, "organization_id", "created_at", "id"),
        Index(None, "organization_id", "created_by"),
    )

    created_by: Mapped[UUID]
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    prefix: Mapped[str] = mapped_column(String(PREFIX_MAX))
    last_four: Mapped[str] = mapped_column(String(LAST))
    key_hash: Mapped[bytes] = mapped_column(info=MASKED)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(String(SCOPE_MAX)))
    expires_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A key as the organization sees it, in this order."""

    id: UUID
    name: str
    prefix: str
    last_four: str
    scopes: Sequence[str]
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewApiKeyRow(ApiKeyRow):
    """The same, of a key that was made now."""

    key: str = field(repr=False)
    """Its text, which nobody can ever look up."""


@dataclass(frozen=True, slots=True)
class SignedInKey:
    """The key of a request that is good now, in this order."""

    id: UUID
    organization_id: UUID
    name: str
    scopes: Sequence[str]
    created_by: UUID
    role: str
    """What its creator is now: the key can never do more."""
    is_use_stale: bool
    """Whether its last use was noted long enough ago to be noted again."""
    is_hash_old: bool
    """Whether it is stored under the secret that the newest one has replaced."""
