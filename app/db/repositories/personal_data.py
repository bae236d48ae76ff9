"""Queries for everything that is known of one person."""

from collections.abc import AsyncIterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.invitations import STATUS_NOW
from app.models.api_keys import ApiKey
from app.models.changes import AuditEvent
from app.models.devices import UserDevice
from app.models.email_tokens import EmailToken
from app.models.invitations import Invitation
from app.models.organizations import Membership, Organization
from app.models.profiles import UserProfile
from app.models.sessions import UserSession
from app.models.users import User

BATCH = 200
"""Audit events in memory at a time."""

Rows = Sequence[Row[*tuple[Any, ...]]]


class PersonalDataRepository:
    """All rows about one user, whom the session is bound to.

    What belongs to an organization is read when the session has entered that one.
    """

    def __init__(self, session: AsyncSession, user_id: UUID) -> None:
        self._session = session
        self._user_id = user_id

    async def account(self) -> User | None:
        """Return the user, if they may sign in."""
        found = select(User).where(User.id == self._user_id, User.is_active)
        user: User | None = await self._session.scalar(found)
        return user

    async def profile(self) -> UserProfile | None:
        return await self._session.get(UserProfile, self._user_id)

    async def sessions(self) -> Rows:
        return await self._all(
            select(
                UserSession.id,
                UserSession.device,
                UserSession.ip,
                UserSession.impersonator_id,
                UserSession.created_at,
                UserSession.last_used_at,
                UserSession.expires_at,
            )
            .where(UserSession.user_id == self._user_id)
            .order_by(UserSession.created_at, UserSession.id)
        )

    async def devices(self) -> Rows:
        return await self._all(
            select(UserDevice.device, UserDevice.last_seen_at)
            .where(UserDevice.user_id == self._user_id)
            .order_by(UserDevice.last_seen_at, UserDevice.id)
        )

    async def mailed_links(self) -> Rows:
        return await self._all(
            select(
                EmailToken.purpose,
                EmailToken.email,
                EmailToken.created_at,
                EmailToken.expires_at,
            )
            .where(EmailToken.user_id == self._user_id)
            .order_by(EmailToken.created_at, EmailToken.id)
        )

    async def organizations(self) -> Rows:
        """Return those that the user is a member of, in the order of joining."""
        return await self._all(
            select(
                Organization.id,
                Organization.name,
                Organization.slug,
                Membership.role,
                Membership.created_at.label("joined_at"),
            )
            .join(Membership, Membership.organization_id == Organization.id)
            .where(Membership.user_id == self._user_id)
            .where(Organization.deleted_at.is_(None))
            .order_by(Membership.created_at, Membership.id)
        )

    async def invitations(self, email: str) -> Rows:
        """Return those to the address of the user."""
        return await self._all(
            select(
                Invitation.id,
                Invitation.organization_id,
                Organization.name.label("organization_name"),
                Invitation.role,
                STATUS_NOW.label("status"),
                Invitation.created_at,
                Invitation.expires_at,
            )
            .join(Organization, Organization.id == Invitation.organization_id)
            .where(Invitation.email == email, Organization.deleted_at.is_(None))
            .order_by(Invitation.created_at, Invitation.id)
        )

    async def api_keys(self, organization_id: UUID) -> Rows:
        """Return those that the user has created there."""
        return await self._all(
            select(
                ApiKey.id,
                ApiKey.organization_id,
                ApiKey.name,
                ApiKey.prefix,
                ApiKey.last_four,
                ApiKey.scopes,
                ApiKey.created_at,
                ApiKey.last_used_at,
                ApiKey.expires_at,
            )
            .where(ApiKey.organization_id == organization_id)
            .where(ApiKey.created_by == self._user_id)
            .order_by(ApiKey.created_at, ApiKey.id)
        )

    async def audit_events(self, organization_id: UUID) -> AsyncIterator[Rows]:
        """Yield batches of what the user did there, or was done to them, in order."""
        after: tuple[Any, ...] | None = None
        while True:
            batch = await self._all(self._audit_batch(organization_id, after))
            if batch:
                yield batch
                after = (batch[-1].created_at, batch[-1].id)
            if len(batch) < BATCH:
                return

    def _audit_batch(
        self, organization_id: UUID, after: tuple[Any, ...] | None
    ) -> Select[*tuple[Any, ...]]:
        # Each branch walks an index of its own, which no index does for an OR.
        did = AuditEvent.actor_id == self._user_id
        suffered = AuditEvent.target_id == self._user_id
        by_others = AuditEvent.actor_id.is_distinct_from(self._user_id)
        found = union_all(
            *(
                select(branch)
                for branch in (
                    _batch(organization_id, after, did),
                    _batch(organization_id, after, suffered, by_others),
                )
            )
        ).subquery()
        return select(found).order_by(found.c.created_at, found.c.id).limit(BATCH)

    async def _all(self, statement: Select[*tuple[Any, ...]]) -> Rows:
        return (await self._session.execute(statement)).all()


def _batch(
    organization_id: UUID,
    after: tuple[Any, ...] | None,
    *conditions: ColumnElement[bool],
) -> Subquery:
    found = select(
        AuditEvent.id,
        AuditEvent.organization_id,
        AuditEvent.action,
        AuditEvent.actor_type,
        AuditEvent.actor_id,
        AuditEvent.impersonator_id,
        AuditEvent.target_type,
        AuditEvent.target_id,
        AuditEvent.target_label,
        AuditEvent.changes,
        AuditEvent.request_id,
        AuditEvent.ip,
        AuditEvent.created_at,
    ).where(AuditEvent.organization_id == organization_id, *conditions)
    position = tuple_(AuditEvent.created_at, AuditEvent.id)
    if after is not None:
        found = found.where(position > after)
    ordered = found.order_by(AuditEvent.created_at, AuditEvent.id)
    return ordered.limit(BATCH).subquery()
