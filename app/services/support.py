"""What superusers can do for users and organizations that are not theirs."""

from dataclasses import dataclass
from secrets import token_bytes
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.impersonations import ImpersonationRepository
from app.db.repositories.organizations import AllOrganizationsReader
from app.db.repositories.sessions import IMPERSONATION
from app.db.repositories.users import UserRepository
from app.errors import Conflict, Forbidden
from app.models.base import new_id, utc_now
from app.models.organizations import OrganizationOutline
from app.models.sessions import UserSession
from app.models.users import User
from app.pagination import Slice
from app.schemas.support import AllOrganizationsQuery, ImpersonationResponse
from app.security.refresh_tokens import SECRET_BYTES
from app.security.tokens import AccessTokens
from app.services.actor import Actor, Client

DEVICE = "Support, acting as you"
"""What the user reads among their sessions."""


@dataclass(frozen=True, slots=True)
class SupportService:
    """The use cases of superusers who help people."""

    session: AsyncSession
    organizations: AllOrganizationsReader
    tokens: AccessTokens
    client: Client
    actor: Actor

    async def page_of_organizations(
        self, query: AllOrganizationsQuery
    ) -> Slice[OrganizationOutline]:
        self.actor.require_superuser()
        return await self.organizations.page(query.request())

    async def impersonate(self, user_id: UUID) -> ImpersonationResponse:
        """Begin a session in which the superuser is the user, for a short time."""
        self.actor.require_superuser()
        own = self.actor.require_oneself()
        users = UserRepository(self.session)
        await users.hold(user_id, own.id)
        await self.actor.confirm(self.session)
        user = await users.lock(user_id)
        _require_that_one_may_be(user)
        begun = await self._begin(user, by=own.id)
        token = self.tokens.issue(
            user.id,
            session_id=begun.id,
            until=int(begun.expires_at.timestamp()),
            impersonator_id=own.id,
        )
        return ImpersonationResponse(
            access_token=token.text,
            token_type="bearer",  # noqa: S106 - the type's name (RFC 6750), no secret
            expires_in=token.lifetime,
        )

    async def _begin(self, user: User, *, by: UUID) -> UserSession:
        now = utc_now()
        row = UserSession(
            id=new_id(),
            user_id=user.id,
            device=DEVICE,
            ip=self.client.address,
            created_at=now,
            last_used_at=now,
            expires_at=now + IMPERSONATION,
            generation=1,
            token_hash=token_bytes(SECRET_BYTES),  # of no token that there is
            impersonator_id=by,
        )
        return await ImpersonationRepository(self.session).add(row)


def _require_that_one_may_be(user: User) -> None:
    if user.is_superuser:
        raise Forbidden("Nobody acts as a superuser, and so not as themselves.")
    if not user.is_active:
        raise Conflict("This account is switched off.")
