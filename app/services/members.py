"""Who belongs to an organization, and what they are in it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.members import MemberReader, MembershipRepository
from app.db.repositories.organizations import OrganizationRepository
from app.models.organizations import MemberRow
from app.pagination import Slice
from app.policy import Permission, Role
from app.schemas.organizations import MemberQuery, MemberUpdate
from app.services.actor import Actor
from app.services.departures import depart


@dataclass(frozen=True, slots=True)
class MemberService:
    """The use cases of members, who go in line where it is about who is what."""

    session: AsyncSession
    reader: MemberReader
    actor: Actor

    async def page(self, query: MemberQuery) -> Slice[MemberRow]:
        self.actor.require(Permission.MEMBERS_READ)
        return await self.reader.page(query.request())

    async def update(self, user_id: UUID, patch: MemberUpdate) -> MemberRow:
        """Give a member another role, neither it nor theirs above one's own.

        Invitations by them to roles above it are revoked.

        Raises `LastOwner` if nobody would be left who is one.
        """
        self.actor.require(Permission.MEMBERS_WRITE)
        members = await self._hold()
        member = await members.lock_member(user_id)
        self.actor.require_rank_of(Role(member.role))
        self.actor.require_grant_of(patch.role)
        if patch.role != Role.OWNER:
            await members.keep_an_owner_besides(member)
        member = await members.update(member, patch.changes())
        return await members.row_of(member)

    async def remove(self, user_id: UUID) -> None:
        """Remove a member, or leave; raise `LastOwner` if one has to stay."""
        self.actor.require_self_or(user_id, Permission.MEMBERS_WRITE)
        if user_id == self.actor.user_id:
            self.actor.require_in_person()
        members = await self._hold()
        member = await members.lock_member(user_id)
        if user_id != self.actor.user_id:
            self.actor.require_rank_of(Role(member.role))
        await depart(self.session, member)

    async def _hold(self) -> MembershipRepository:
        """Let who changes members of one organization go in line, while they may."""
        within = self.actor.organization_id
        await OrganizationRepository(self.session, within).hold()
        await self.actor.confirm(self.session)
        return MembershipRepository(self.session, within)
