"""Queries about organizations."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from typing_extensions import override

from app.db.changes import additions
from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.db.repositories.scoped import ScopedRepository
from app.events.organizations import (
    ORGANIZATION_CREATED,
    ORGANIZATION_DELETED,
    ORGANIZATION_UPDATED,
)
from app.models.base import utc_now
from app.models.organizations import (
    Membership,
    Organization,
    OrganizationOutline,
    OrganizationRow,
)
from app.pagination import PageRequest, Slice
from app.search import matches


def _memberships() -> Select[*tuple[Any, ...]]:
    """Select the organizations that somebody is a member of, with what they are."""
    return (
        select(
            Organization.id,
            Organization.name,
            Organization.slug,
            Membership.role,
            Organization.created_at,
            Organization.updated_at,
            Organization.version,
        )
        .join(Membership, Membership.organization_id == Organization.id)
        .where(Membership.user_id == bindparam("user_id"))
        .where(Organization.deleted_at.is_(None))
    )


ORGANIZATIONS_OF_USER = Listing(
    "organizations",
    _memberships(),
    OrganizationRow,
    key=Organization.id,
    sorts={"created_at": Organization.created_at, "name": Organization.name},
    context=["user_id"],
)
ORGANIZATION = Query(
    select(
        Organization.id,
        Organization.name,
        Organization.slug,
        bindparam("role", type_=Organization.slug.type).label("role"),
        Organization.created_at,
        Organization.updated_at,
        Organization.version,
    ).where(
        Organization.id == bindparam("organization_id"),
        Organization.deleted_at.is_(None),
    ),
    OrganizationRow,
    context=["organization_id"],
)

ALL_ORGANIZATIONS = Listing(
    "all organizations",
    select(
        Organization.id,
        Organization.name,
        Organization.slug,
        Organization.created_at,
        Organization.updated_at,
        Organization.deleted_at,
    ),
    OrganizationOutline,
    key=Organization.id,
    sorts={
        "created_at": Organization.created_at,
        "name": Organization.name,
        "slug": Organization.slug,
    },
    filters={"q": matches(Organization.search_text)},
    context=["superuser_id"],
)


class AllOrganizationsReader:
    """Hot reads of what a superuser sees of all organizations: no more than names."""

    def __init__(self, reader: Reader, superuser_id: UUID) -> None:
        self._reader = reader
        self._superuser_id = superuser_id

    async def page(self, request: PageRequest) -> Slice[OrganizationOutline]:
        return await ALL_ORGANIZATIONS.page(
            self._reader, request, superuser_id=self._superuser_id
        )


class OwnOrganizationReader:
    """Hot reads of the organizations of one user."""

    def __init__(self, reader: Reader, user_id: UUID) -> None:
        self._reader = reader
        self._user_id = user_id

    async def page(self, request: PageRequest) -> Slice[OrganizationRow]:
        return await ORGANIZATIONS_OF_USER.page(
            self._reader, request, user_id=self._user_id
        )


class OrganizationReader:
    """Hot reads of one organization."""

    def __init__(self, reader: Reader, organization_id: UUID) -> None:
        self._reader = reader
        self._organization_id = organization_id

    async def get(self, *, role: str) -> OrganizationRow | None:
        """Return the organization, as somebody of a role sees it."""
        return await self._reader.one(
            ORGANIZATION, organization_id=self._organization_id, role=role
        )


class OrganizationRepository(ScopedRepository[Organization]):
    """The row of one organization itself."""

    model = Organization
    noun = "organization"
    added, updated = ORGANIZATION_CREATED, ORGANIZATION_UPDATED
    removed = ORGANIZATION_DELETED

    @override
    def is_own(self) -> ColumnElement[bool]:
        return Organization.id == self._organization_id

    async def store_if_free(self, row: Organization) -> bool:
        """Store a new organization; tell whether its slug was free.

        Whose the slug is cannot be looked up: that row is another organization's.
        """
        row.created_at = row.updated_at = utc_now()
        row.version = 1
        stored = await self._session.scalar(
            insert(Organization)
            .values(
                id=row.id,
                name=row.name,
                slug=row.slug,
                search_text=row.words(),
                created_at=row.created_at,
                updated_at=row.updated_at,
            )
            .on_conflict_do_nothing(constraint="uq_organizations_slug")
            .returning(Organization.id)
        )
        if stored is None:
            return False
        await self._record(self.added, row, additions(row))
        return True

    async def hold(self) -> Organization:
        """Lock the organization for who changes it, or who is what in it: in line."""
        living = self.own().where(Organization.deleted_at.is_(None))
        return await self._one(living.with_for_update(key_share=True))

    async def close(self) -> Organization:
        """Lock the organization against everything that belongs to it."""
        living = self.own().where(Organization.deleted_at.is_(None))
        return await self._one(living.with_for_update())
