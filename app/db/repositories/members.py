"""Queries about members."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from app.db.lists import Listing
from app.db.reader import Reader
from app.db.repositories.invitations import InvitationRepository
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import of_organization
from app.errors import LastOwner
from app.events import EventType
from app.events.organizations import MEMBER_JOINED, MEMBER_LEFT, MEMBER_UPDATED
from app.models.organizations import MemberRow, Membership, Organization
from app.models.users import User
from app.pagination import PageRequest, Slice
from app.policy import Role

MEMBERS = Listing(
    "members",
    select(
        Membership.user_id,
        User.email,
        User.full_name,
        Membership.role,
        Membership.created_at.label("joined_at"),
    )
    .join(User, User.id == Membership.user_id)
    .where(of_organization(Membership.organization_id)),
    MemberRow,
    key=Membership.id,
    sorts={"joined_at": Membership.created_at, "full_name": User.full_name},
    context=["organization_id"],
)


class MemberReader:
    """Hot reads of the members of one organization."""

    def __init__(self, reader: Reader, organization_id: UUID) -> None:
        self._reader = reader
        self._organization_id = organization_id

    async def page(self, request: PageRequest) -> Slice[MemberRow]:
        return await MEMBERS.page(
            self._reader, request, organization_id=self._organization_id
        )


class MembershipRepository(ScopedRepository[Membership]):
    """Who belongs to one organization. Who changes roles holds the organization."""

    model = Membership
    noun = "member"
    added, updated, removed = MEMBER_JOINED, MEMBER_UPDATED, MEMBER_LEFT

    async def lock_member(self, user_id: UUID) -> Membership:
        """Lock a membership against all that its user does by it."""
        mine = self.own().where(Membership.user_id == user_id)
        return await self._one(mine.with_for_update())

    @override
    async def update(
        self,
        row: Membership,
        changes: Mapping[str, Any],
        *,
        event: EventType[Any] | None = None,
    ) -> Membership:
        """Change a member; who is demoted takes back what was to be above them."""
        before = Role(row.role)
        row = await super().update(row, changes, event=event)
        if (role := Role(row.role)).rank < before.rank:
            invitations = InvitationRepository(self._session, self._organization_id)
            await invitations.revoke_all_by(row.user_id, above=role)
        return row

    async def outwait(self, user_id: UUID) -> None:
        """Let what a user does by their membership end, and keep off what is new."""
        mine = select(Membership.id).where(self.is_own(), Membership.user_id == user_id)
        await self._session.execute(mine.with_for_update())

    async def row_of(self, membership: Membership) -> MemberRow:
        """Return a member of this transaction as the others see them."""
        user = await self._session.get_one(User, membership.user_id)
        return MemberRow(
            user_id=user.id,
            email=user.email,
            full_name=user.full_name,
            role=membership.role,
            joined_at=membership.created_at,
        )

    async def has(self, email: str) -> bool:
        """Tell whether somebody with this address is a member."""
        member = exists().where(
            self.is_own(), Membership.user_id == User.id, User.email == email
        )
        return bool(await self._session.scalar(select(member)))

    async def keep_an_owner_besides(self, membership: Membership) -> None:
        """Raise `LastOwner` if this one is the last who could act as one.

        The organization is held.
        """
        if membership.role != Role.OWNER:
            return
        others = exists().where(
            self.is_own(),
            Membership.role == Role.OWNER,
            Membership.id != membership.id,
            Membership.user_id == User.id,
            User.is_active,
        )
        if not await self._session.scalar(select(others)):
            raise LastOwner("This is the last owner of the organization.")


async def count_owned(session: AsyncSession, user_id: UUID) -> int:
    """Count the organizations that the session's user owns, whom somebody holds."""
    counted = (
        select(func.count())
        .select_from(Membership)
        .where(Membership.user_id == user_id, Membership.role == Role.OWNER)
    )
    return await session.scalar(counted) or 0


async def organizations_of(session: AsyncSession, user_id: UUID) -> list[UUID]:
    """Return the organizations of the user whom the session is bound to, in order."""
    found = await session.scalars(
        select(Membership.organization_id)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id, Organization.deleted_at.is_(None))
        .order_by(Membership.organization_id)
    )
    return list(found)
