"""Organizations, the tenants, and who belongs to them."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.models.base import Base, TimestampMixin, VersionMixin
from app.models.search import Searchable
from app.policy import Role

NAME_MAX = 100
SLUG_MAX = 50
ROLE_MAX = 10
ROLES = "role IN ('viewer', 'member', 'admin', 'owner')"


class OrganizationScoped:
    """A row of one organization, which no other one ever sees.

    Row-level security holds whatever a query says: see `app.db.tenancy`.
    """

    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))


class Organization(Searchable, TimestampMixin, VersionMixin, Base):
    """A tenant. One that is deleted is gone at once; a job clears its rows away."""

    __tablename__ = "organizations"
    __table_args__ = (UniqueConstraint("slug"), Index(None, "created_at", "id"))

    searched: ClassVar[tuple[str, ...]] = ("name", "slug")

    name: Mapped[str] = mapped_column(String(NAME_MAX))
    slug: Mapped[str] = mapped_column(String(SLUG_MAX))
    deleted_at: Mapped[datetime | None]
    memberships: WriteOnlyMapped["Membership"] = relationship(passive_deletes="all")

    @property
    def label(self) -> str:
        return self.name


class Membership(OrganizationScoped, TimestampMixin, VersionMixin, Base):
    """A user in an organization; they joined when the row was made."""

    __tablename__ = "memberships"
    __table_args__ = (
        UniqueConstraint("organization_id", "user_id"),
        CheckConstraint(ROLES, "role"),
        Index(None, "user_id", "created_at", "id"),
        Index(None, "organization_id", "created_at", "id"),
    )

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    role: Mapped[Role] = mapped_column(String(ROLE_MAX))


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization as one of its members sees it, in this order."""

    id: UUID
    name: str
    slug: str
    role: str
    created_at: datetime
    updated_at: datetime
    version: int

    @property
    def variant(self) -> str:
        """What an answer shows besides the row itself."""
        return self.role


@dataclass(frozen=True, slots=True)
class OrganizationOutline:
    """An organization as a superuser sees it, in this order."""

    id: UUID
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member as the others see them, in this order."""

    user_id: UUID
    email: str
    full_name: str
    role: str
    joined_at: datetime
