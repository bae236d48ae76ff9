"""What one can do about invitations to one's own address."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.invitations import (
    InvitationRepository,
    OwnInvitationReader,
    organization_inviting,
)
from app.db.repositories.members import MembershipRepository
from app.db.repositories.organizations import OrganizationRepository
from app.db.repositories.users import UserRepository
from app.db.tenancy import enter
from app.errors import (
    EmailNotVerified,
    InvitationExpired,
    InvitationUsed,
    NotFound,
    Unauthorized,
)
from app.events.organizations import INVITATION_ACCEPTED, INVITATION_DECLINED
from app.models.invitations import Invitation, InvitationStatus, OwnInvitationRow
from app.models.organizations import MemberRow, Membership
from app.models.users import User
from app.pagination import Slice
from app.schemas.auth import TokenOfMail
from app.schemas.invitations import OwnInvitationQuery
from app.security.email_tokens import token_hash
from app.services.actor import Actor
from app.services.invitations import USED


@dataclass(frozen=True, slots=True)
class OwnInvitationService:
    """The use cases of whoever was invited, at the address that they have now."""

    session: AsyncSession
    reader: OwnInvitationReader
    actor: Actor

    async def page(self, query: OwnInvitationQuery) -> Slice[OwnInvitationRow]:
        self.actor.require_user()
        return await self.reader.page(query.request())

    async def accept(self, request: TokenOfMail) -> MemberRow:
        """Join the organization.

        Raises `NotFound`, `InvitationUsed`, `InvitationExpired`, `EmailNotVerified`, or
        `AlreadyMember`.
        """
        self.actor.require_oneself()
        user, invitation = await self._lock(request.token)
        if not user.email_verified:
            raise EmailNotVerified("Verify your e-mail address first.")
        within = invitation.organization_id
        members = MembershipRepository(self.session, within)
        member = await members.add(
            Membership(organization_id=within, user_id=user.id, role=invitation.role)
        )
        await InvitationRepository(self.session, within).update(
            invitation, {"status": InvitationStatus.ACCEPTED}, event=INVITATION_ACCEPTED
        )
        return await members.row_of(member)

    async def decline(self, request: TokenOfMail) -> None:
        """Say no; raise `NotFound`, `InvitationUsed` or `InvitationExpired`."""
        self.actor.require_oneself()
        _, invitation = await self._lock(request.token)
        within = invitation.organization_id
        await InvitationRepository(self.session, within).update(
            invitation, {"status": InvitationStatus.DECLINED}, event=INVITATION_DECLINED
        )

    async def _lock(self, token: str) -> tuple[User, Invitation]:
        """Lock the caller, whose address stays, and an invitation that is open to it.

        The organization is held.
        """
        try:
            user = await UserRepository(self.session).lock(self.actor.caller.id)
        except NotFound:  # erased meanwhile
            raise Unauthorized from None
        hashed = token_hash(token)
        try:
            within = await organization_inviting(self.session, hashed, email=user.email)
            await enter(self.session, organization_id=within)
            await OrganizationRepository(self.session, within).hold()
            await self.actor.confirm(self.session)
            invitations = InvitationRepository(self.session, within)
            invitation = await invitations.lock_sent(hashed, email=user.email)
        except NotFound:  # whatever it is that is not there
            raise _unknown() from None
        if invitation.status == InvitationStatus.REVOKED:
            raise _unknown()
        if invitation.status != InvitationStatus.PENDING:
            raise InvitationUsed(USED)
        if await invitations.has_expired(invitation):
            raise InvitationExpired("The invitation is too old: ask for another one.")
        return user, invitation


def _unknown() -> NotFound:
    return NotFound("No invitation to you has this token.")
