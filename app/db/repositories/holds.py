"""Locks on what an actor acts by, so that nothing of it ends before they are done.

They are the weakest ones there are: of all changes, only the end of what they are on
waits for them.
"""

from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.models.api_keys import ApiKey
from app.models.organizations import Membership, Organization
from app.models.sessions import UserSession
from app.models.users import User


async def hold_member(
    session: AsyncSession, *, user_id: UUID, session_id: UUID, organization_id: UUID
) -> str | None:
    """Hold a session and a membership; return the role, if both still last."""
    found = (
        _living_membership(organization_id)
        .join(UserSession, UserSession.user_id == Membership.user_id)
        .where(Membership.user_id == user_id, UserSession.id == session_id)
        .where(UserSession.expires_at > func.clock_timestamp())
        .with_for_update(
            read=True, key_share=True, of=[UserSession, Membership, Organization]
        )
    )
    role: str | None = await session.scalar(found)
    return role


async def hold_key(
    session: AsyncSession, *, key_id: UUID, created_by: UUID, organization_id: UUID
) -> str | None:
    """Hold a key and its creator's membership; return the role, if both still last.

    Whoever switches the creator off locks the membership, too: they have waited for
    this transaction, or it has waited for them and asks only now who is active.
    """
    is_good = ApiKey.expires_at.is_(None) | (ApiKey.expires_at > func.clock_timestamp())
    found = (
        _living_membership(organization_id)
        .join(
            ApiKey,
            (ApiKey.organization_id == Membership.organization_id)
            & (ApiKey.created_by == Membership.user_id),
        )
        .where(ApiKey.id == key_id, ApiKey.created_by == created_by, is_good)
        .with_for_update(
            read=True, key_share=True, of=[Membership, ApiKey, Organization]
        )
    )
    role: str | None = await session.scalar(found)
    active = select(User.id).where(User.id == created_by, User.is_active)
    return role if await session.scalar(active) else None


def _living_membership(organization_id: UUID) -> Select[str]:
    return (
        select(Membership.role)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.organization_id == organization_id)
        .where(Organization.deleted_at.is_(None))
    )
