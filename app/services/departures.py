"""Leaving an organization, or being kept out of it: what goes with a member."""

import contextlib

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.api_keys import ApiKeyRepository
from app.db.repositories.invitations import InvitationRepository
from app.db.repositories.members import MembershipRepository, organizations_of
from app.db.repositories.organizations import OrganizationRepository
from app.db.tenancy import enter, inside
from app.errors import NotFound
from app.models.organizations import Membership
from app.models.users import User


async def depart(session: AsyncSession, member: Membership) -> None:
    """End a membership, with the member's API keys and what invitations are open.

    The organization is held. Raises `LastOwner` if this is the last one.
    """
    members = MembershipRepository(session, member.organization_id)
    await members.keep_an_owner_besides(member)
    invitations = InvitationRepository(session, member.organization_id)
    await invitations.revoke_all_by(member.user_id)
    keys = ApiKeyRepository(session, member.organization_id)
    await keys.revoke_all_of(member.user_id)
    await members.remove(member)


async def depart_from_all(session: AsyncSession, user: User) -> None:
    """End all memberships of a user who is locked, one organization after the other.

    Raises `LastOwner` if they are the last one anywhere.
    """
    async with inside(session, user_id=user.id):
        for organization_id in await organizations_of(session, user.id):
            await enter(session, organization_id=organization_id)
            # Meanwhile it may have been deleted, or somebody else has removed them.
            with contextlib.suppress(NotFound):
                await OrganizationRepository(session, organization_id).hold()
                members = MembershipRepository(session, organization_id)
                await depart(session, await members.lock_member(user.id))


async def outwait_keys(session: AsyncSession, user: User) -> None:
    """Let what the API keys of a user write end, who is locked and switched off.

    What they come to write later is refused.
    """
    async with inside(session, user_id=user.id):
        for organization_id in await organizations_of(session, user.id):
            await enter(session, organization_id=organization_id)
            await MembershipRepository(session, organization_id).outwait(user.id)
