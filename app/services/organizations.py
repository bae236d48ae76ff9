"""What can be done with organizations."""

from dataclasses import dataclass
from secrets import token_hex

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.members import MembershipRepository, count_owned
from app.db.repositories.organizations import (
    OrganizationReader,
    OrganizationRepository,
    OwnOrganizationReader,
)
from app.db.repositories.users import UserRepository
from app.db.tenancy import enter
from app.errors import FieldError, LimitReached, NotFound, SlugTaken, ValidationFailed
from app.models.base import new_id, utc_now
from app.models.organizations import (
    SLUG_MAX,
    MemberRow,
    Membership,
    Organization,
    OrganizationRow,
)
from app.pagination import Slice
from app.policy import Permission, Role
from app.preconditions import IfMatch
from app.queue import Queue
from app.queue.organizations import DeleteOrganization
from app.schemas.organizations import (
    OrganizationCreate,
    OrganizationQuery,
    OrganizationUpdate,
    OwnershipTransfer,
)
from app.services.actor import Actor, no_organization
from app.slugs import slug_of

MAX_OWNED = 100
_ATTEMPTS = 5
_SUFFIX_BYTES = 3


@dataclass(frozen=True, slots=True)
class OwnOrganizationService:
    """The use cases of somebody who has organizations, or founds one."""

    session: AsyncSession
    reader: OwnOrganizationReader
    actor: Actor

    async def page(self, query: OrganizationQuery) -> Slice[OrganizationRow]:
        self.actor.require_user()
        return await self.reader.page(query.request())

    async def create(self, new: OrganizationCreate) -> OrganizationRow:
        """Found an organization, whose owner is the caller."""
        user = self.actor.require_user()
        organization = Organization(id=new_id(), name=new.name)
        await enter(self.session, organization_id=organization.id)
        # Whoever erases the user waits, or has done it: nobody erased is an owner.
        await UserRepository(self.session).hold(user.id)
        await self.actor.confirm(self.session)
        if await count_owned(self.session, user.id) >= MAX_OWNED:
            raise LimitReached(f"Nobody owns more than {MAX_OWNED} organizations.")
        await self._store(organization, new)
        owner = Membership(
            organization_id=organization.id, user_id=user.id, role=Role.OWNER
        )
        await MembershipRepository(self.session, organization.id).add(owner)
        return as_seen(organization, Role.OWNER)

    async def _store(self, organization: Organization, new: OrganizationCreate) -> None:
        """Store it under its slug, or under one of its name that is free."""
        organizations = OrganizationRepository(self.session, organization.id)
        given = new.slug if isinstance(new.slug, str) else None
        organization.slug = given or slug_of(new.name, most=SLUG_MAX)
        for _ in range(_ATTEMPTS):
            if await organizations.store_if_free(organization):
                return
            if given is not None:
                break
            suffix = token_hex(_SUFFIX_BYTES)
            root = slug_of(new.name, most=SLUG_MAX - len(suffix) - 1)
            organization.slug = f"{root}-{suffix}"
        raise SlugTaken("Another organization has this slug.")


@dataclass(frozen=True, slots=True)
class OrganizationService:
    """The use cases of one organization."""

    session: AsyncSession
    reader: OrganizationReader
    actor: Actor

    async def get(self) -> OrganizationRow:
        self.actor.require(Permission.ORGANIZATION_READ)
        found = await self.reader.get(role=self.actor.role)
        if found is None:  # deleted since the actor was let in
            raise no_organization()
        return found

    async def update(
        self, patch: OrganizationUpdate, match: IfMatch
    ) -> OrganizationRow:
        self.actor.require(Permission.ORGANIZATION_WRITE)
        organization = await self._hold(match)
        organizations = self._organizations()
        organization = await organizations.update(organization, patch.changes())
        return as_seen(organization, self.actor.role)

    async def delete(self, slug: str | None, match: IfMatch) -> None:
        """Delete an organization; a job clears away what belongs to it.

        From now on it exists for nobody. The slug is free when the job is done.
        """
        self.actor.require(Permission.ORGANIZATION_DELETE)
        self.actor.require_in_person()
        organization = await self._organizations().close()
        await self.actor.confirm(self.session)
        match.check(organization)
        if slug != organization.slug:
            detail = "Write the slug of the organization, to be sure it is this one."
            raise ValidationFailed(FieldError("/query/slug", "slug_differs", detail))
        await self._organizations().update(
            organization,
            {"deleted_at": utc_now()},
            event=OrganizationRepository.removed,
        )
        await Queue(self.session).put(
            DeleteOrganization(organization_id=organization.id)
        )

    async def transfer(self, to: OwnershipTransfer) -> MemberRow:
        """Make another member an owner, and the caller an admin, in one step.

        Raises `LastOwner` if that is somebody who cannot act.
        """
        self.actor.require(Permission.ORGANIZATION_TRANSFER)
        user = self.actor.require_oneself()
        if to.user_id == user.id:
            detail = "You are an owner already: name another member."
            raise ValidationFailed(FieldError("/body/user_id", "oneself", detail))
        await self._hold()
        members = MembershipRepository(self.session, self.actor.organization_id)
        try:
            heir = await members.lock_member(to.user_id)
        except NotFound:
            detail = "No member has this id."
            error = FieldError("/body/user_id", "unknown_member", detail)
            raise ValidationFailed(error) from None
        await members.update(heir, {"role": Role.OWNER})
        own = await members.lock_member(user.id)
        await members.keep_an_owner_besides(own)
        await members.update(own, {"role": Role.ADMIN})
        return await members.row_of(heir)

    def _organizations(self) -> OrganizationRepository:
        return OrganizationRepository(self.session, self.actor.organization_id)

    async def _hold(self, match: IfMatch | None = None) -> Organization:
        """Lock the organization, and make sure of the actor."""
        organization = await self._organizations().hold()
        await self.actor.confirm(self.session)
        if match is not None:
            match.check(organization)
        return organization


def as_seen(organization: Organization, role: Role) -> OrganizationRow:
    return OrganizationRow(
        id=organization.id,
        name=organization.name,
        slug=organization.slug,
        role=role,
        created_at=organization.created_at,
        updated_at=organization.updated_at,
        version=organization.version,
    )
