"""Whom an organization asks to join it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.invitations import InvitationReader, InvitationRepository
from app.db.repositories.members import MembershipRepository
from app.db.repositories.organizations import OrganizationRepository
from app.errors import AlreadyMember, Conflict, InvitationUsed
from app.mail.messages import InvitationMail
from app.models.api_keys import SignedInKey
from app.models.base import new_id, utc_now
from app.models.invitations import Invitation, InvitationRow, InvitationStatus
from app.models.organizations import Organization
from app.pagination import Slice
from app.policy import Permission, Role
from app.queue import Queue
from app.queue.mails import SendMail
from app.schemas.invitations import InvitationCreate, InvitationQuery
from app.security.email_tokens import EmailTokens
from app.security.limits import INVITATIONS, MAILS, Limiter
from app.services.actor import Actor

USED = "The invitation was accepted or declined before."


@dataclass(frozen=True, slots=True)
class InvitationService:
    """The use cases of those who invite, who hold the organization meanwhile.

    So nobody joins it while it is found out whether they are a member.
    """

    session: AsyncSession
    reader: InvitationReader
    tokens: EmailTokens
    limiter: Limiter
    actor: Actor

    async def page(self, query: InvitationQuery) -> Slice[InvitationRow]:
        self.actor.require(Permission.INVITATIONS_READ)
        return await self.reader.page(query.request())

    async def create(self, new: InvitationCreate) -> Invitation:
        """Invite an address, to a role that one could give to a member.

        Raises `AlreadyMember`, or `AlreadyInvited` if there is an open invitation.
        """
        self.actor.require(Permission.INVITATIONS_WRITE)
        self.actor.require_grant_of(new.role)
        await self._count()
        organization = await self._hold()
        await self._require_no_member(new.email)
        await self._invitations().set_expired_aside(new.email)
        invitation = Invitation(
            organization_id=organization.id,
            email=new.email,
            role=new.role,
            status=InvitationStatus.PENDING,
            invited_by=self._sender(),
            **self._token(),
        )
        await self._invitations().add(invitation)
        await self._mail(invitation, organization)
        return invitation

    async def resend(self, id: UUID) -> None:
        """Mail another link, good for as long as a first one; the one before is void.

        Raises `InvitationUsed`, or a `Conflict` if it was revoked.
        """
        self.actor.require(Permission.INVITATIONS_WRITE)
        await self._count()
        organization = await self._hold()
        invitation = await self._invitations().lock(id)
        _require_unused(invitation)
        if invitation.status == InvitationStatus.REVOKED:
            raise Conflict("This invitation was revoked: make another one.")
        self.actor.require_grant_of(Role(invitation.role))
        await self._require_no_member(invitation.email)
        await self._invitations().update(invitation, self._token())
        await self._mail(invitation, organization)

    async def revoke(self, id: UUID) -> None:
        """Take an invitation back, if it was not already; raise `InvitationUsed`."""
        self.actor.require(Permission.INVITATIONS_WRITE)
        await self._hold()
        invitation = await self._invitations().lock(id)
        self.actor.require_no_less_than(Role(invitation.role))
        _require_unused(invitation)
        await self._invitations().revoke(invitation)

    def _sender(self) -> UUID:
        """Return who stands for what is sent: of a key, its creator."""
        caller = self.actor.caller
        return caller.created_by if isinstance(caller, SignedInKey) else caller.id

    async def _count(self) -> None:
        """Count the mail of a sender; raise `TooManyRequests`.

        Before anything is locked: the answer may come from another machine.
        """
        await self.limiter.hit(INVITATIONS, str(self._sender()))

    async def _hold(self) -> Organization:
        within = self.actor.organization_id
        organization = await OrganizationRepository(self.session, within).hold()
        await self.actor.confirm(self.session)
        return organization

    def _invitations(self) -> InvitationRepository:
        return InvitationRepository(self.session, self.actor.organization_id)

    async def _require_no_member(self, email: str) -> None:
        within = self.actor.organization_id
        if await MembershipRepository(self.session, within).has(email):
            raise AlreadyMember("Somebody with this address is a member.")

    def _token(self) -> dict[str, object]:
        """Return the part of an invitation that each of its mails makes anew."""
        token_id = new_id()
        return {
            "token_id": token_id,
            "token_hash": self.tokens.make(token_id),
            "expires_at": utc_now() + InvitationMail.valid_for,
        }

    async def _mail(self, invitation: Invitation, organization: Organization) -> None:
        """Mail the link.

        Raises `TooManyRequests`: the name of an organization is a message to anybody,
        so neither may one sender write to many, nor many senders to one. What is
        refused for another reason uses nothing of the addressee's up.
        """
        caller = self.actor.caller
        inviter = None if isinstance(caller, SignedInKey) else caller.full_name
        await self.limiter.hit(MAILS, "invitation", invitation.email)
        mail = InvitationMail(
            to=invitation.email,
            organization_id=organization.id,
            invitation_id=invitation.id,
            token_id=invitation.token_id,
            organization=organization.name,
            role=invitation.role,
            inviter=inviter,
            invited_by=self.actor.user_id,
        )
        await Queue(self.session).put(SendMail(mail=mail))


def _require_unused(invitation: Invitation) -> None:
    if invitation.status in {InvitationStatus.ACCEPTED, InvitationStatus.DECLINED}:
        raise InvitationUsed(USED)
