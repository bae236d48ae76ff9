"""Users."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, false, true
from sqlalchemy.orm import Mapped, WriteOnlyMapped, mapped_column, relationship

from app.models.base import Base, TimestampMixin, VersionMixin
from app.models.changes import MASKED
from app.models.organizations import Membership, Organization
from app.models.profiles import UserProfile
from app.models.search import Searchable

EMAIL_MAX = 254
FULL_NAME_MAX = 100


class User(Searchable, TimestampMixin, VersionMixin, Base):
    """A person who signs in. ``email`` is stored normalised, so it is unique as is.

    An erased user keeps the row, which the books refer to, and nothing personal in it.
    """

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("email"),
        Index(None, "created_at", "id"),
        Index(None, "full_name", "id"),
    )

    searched: ClassVar[tuple[str, ...]] = ("email", "full_name")

    email: Mapped[str] = mapped_column(String(EMAIL_MAX), info=MASKED)
    full_name: Mapped[str] = mapped_column(String(FULL_NAME_MAX), info=MASKED)
    password_hash: Mapped[str] = mapped_column(info=MASKED)
    password_version: Mapped[int] = mapped_column(
        default=1, server_default="1", info=MASKED
    )
    """How many passwords there have been; a new hash of the same one does not count."""
    is_active: Mapped[bool] = mapped_column(default=True, server_default=true())
    is_superuser: Mapped[bool] = mapped_column(default=False, server_default=false())
    email_verified_at: Mapped[datetime | None] = mapped_column(info=MASKED)
    erased_at: Mapped[datetime | None] = mapped_column(info=MASKED)
    profile: Mapped[UserProfile | None] = relationship(
        lazy="raise", passive_deletes=True
    )
    """None for who has changed nothing of it yet."""
    memberships: WriteOnlyMapped[Membership] = relationship(passive_deletes="all")
    organizations: WriteOnlyMapped[Organization] = relationship(
        secondary=Membership.__table__, viewonly=True
    )
    """Through the memberships, which say more of each: one joins by making those."""

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
    version: int


@dataclass(frozen=True, slots=True)
class SignedInUser(UserRow):
    """The user of a request, with the session that their access token belongs to."""

    session_id: UUID
    impersonator_id: UUID | None
    """The superuser who acts as this user for a while, if one does."""
    is_session_stale: bool
    """Whether the session's last use was noted long enough ago to be noted again."""


@dataclass(frozen=True, slots=True)
class SignedInMember(SignedInUser):
    """The user of a request about an organization, and what they are in that one."""

    role: str | None
    """None if they are not a member, or there is no such organization."""
