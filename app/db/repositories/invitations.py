"""Queries about invitations."""

from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.changes import differences, record_all
from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import of_organization
from app.errors import NotFound
from app.events.organizations import (
    INVITATION_CREATED,
    INVITATION_RESENT,
    INVITATION_REVOKED,
)
from app.models.changes import OutboxEvent
from app.models.invitations import (
    Invitation,
    InvitationRow,
    InvitationStatus,
    OwnInvitationRow,
)
from app.models.organizations import Organization
from app.models.users import User
from app.pagination import PageRequest, Slice
from app.policy import Role

_is_pending = Invitation.status == InvitationStatus.PENDING
_is_live = Invitation.expires_at > func.now()
STATUS_NOW: ColumnElement[str] = case(
    (and_(_is_pending, ~_is_live), InvitationStatus.EXPIRED.value),
    else_=Invitation.status,
)
"""What an invitation is told to be: one that is out of date is stored as pending."""
_own_email = select(User.email).where(User.id == bindparam("user_id")).scalar_subquery()

INVITATIONS = Listing(
    "invitations",
    select(
        Invitation.id,
        Invitation.email,
        Invitation.role,
        STATUS_NOW.label("status"),
        Invitation.expires_at,
        Invitation.created_at,
    ).where(of_organization(Invitation.organization_id)),
    InvitationRow,
    key=Invitation.id,
    sorts={"created_at": Invitation.created_at, "email": Invitation.email},
    context=["organization_id"],
)
OWN_INVITATIONS = Listing(
    "own invitations",
    select(
        Invitation.id,
        Invitation.email,
        Invitation.role,
        Invitation.status,
        Invitation.expires_at,
        Invitation.created_at,
        Invitation.organization_id,
        Organization.name.label("organization_name"),
    )
    .join(Organization, Organization.id == Invitation.organization_id)
    .where(Invitation.email == _own_email, _is_pending, _is_live)
    .where(Organization.deleted_at.is_(None)),
    OwnInvitationRow,
    key=Invitation.id,
    sorts={"created_at": Invitation.created_at, "expires_at": Invitation.expires_at},
    context=["user_id"],
)
HASH_TO_MAIL = Query(
    select(Invitation.token_hash)
    .join(Organization, Organization.id == Invitation.organization_id)
    .where(of_organization(Invitation.organization_id))
    .where(Invitation.id == bindparam("id"), _is_pending, _is_live)
    .where(Invitation.token_id == bindparam("token_id"))
    .where(Organization.deleted_at.is_(None)),
    bytes,
    context=["organization_id"],
)


class InvitationReader:
    """Hot reads of the invitations of one organization."""

    def __init__(self, reader: Reader, organization_id: UUID) -> None:
        self._reader = reader
        self._organization_id = organization_id

    async def page(self, request: PageRequest) -> Slice[InvitationRow]:
        return await INVITATIONS.page(
            self._reader, request, organization_id=self._organization_id
        )

    async def hash_to_mail(self, id: UUID, *, token_id: UUID) -> bytes | None:
        """Return the hash of a token, if the link with it would be good now."""
        return await self._reader.one(
            HASH_TO_MAIL,
            id=id,
            token_id=token_id,
            organization_id=self._organization_id,
        )


class OwnInvitationReader:
    """Hot reads of open invitations to the address of one user."""

    def __init__(self, reader: Reader, user_id: UUID) -> None:
        self._reader = reader
        self._user_id = user_id

    async def page(self, request: PageRequest) -> Slice[OwnInvitationRow]:
        return await OWN_INVITATIONS.page(self._reader, request, user_id=self._user_id)


class InvitationRepository(ScopedRepository[Invitation]):
    """The invitations of one organization."""

    model = Invitation
    noun = "invitation"
    added, updated = INVITATION_CREATED, INVITATION_RESENT
    removed = INVITATION_REVOKED

    async def lock_sent(self, token_hash: bytes, *, email: str) -> Invitation:
        """Lock the invitation whose newest token this is; raise `NotFound`."""
        sent = self.own().where(
            Invitation.token_hash == token_hash, Invitation.email == email
        )
        return await self._one(sent.with_for_update(key_share=True))

    async def has_expired(self, invitation: Invitation) -> bool:
        """Tell by the database's time of day; one's own clock decides nothing."""
        expires_at = select(Invitation.expires_at <= func.clock_timestamp())
        found = expires_at.where(self.is_own(), Invitation.id == invitation.id)
        return bool(await self._session.scalar(found))

    async def set_expired_aside(self, email: str) -> None:
        """Revoke an invitation that is out of date, to make room for another one."""
        expired = self.own().where(
            Invitation.email == email,
            _is_pending,
            Invitation.expires_at <= func.clock_timestamp(),
        )
        for row in await self._session.scalars(expired.with_for_update(key_share=True)):
            await self.revoke(row)

    async def revoke(self, invitation: Invitation) -> None:
        revoked = {"status": InvitationStatus.REVOKED}
        await self.update(invitation, revoked, event=INVITATION_REVOKED)

    async def revoke_all_by(self, user_id: UUID, *, above: Role | None = None) -> None:
        """Revoke what somebody, or a key of theirs, has sent that is open.

        With ``above``, only what is to a higher role.
        """
        sent = self.own().where(Invitation.invited_by == user_id, _is_pending)
        if above is not None:
            higher = [role for role in Role if role.rank > above.rank]
            sent = sent.where(Invitation.role.in_(higher))
        sent = sent.order_by(Invitation.id).with_for_update(key_share=True)
        rows = (await self._session.scalars(sent)).all()
        # All at once: whoever sends thousands is to be removed no later for that.
        for row in rows:
            row.status = InvitationStatus.REVOKED
        changes = [differences(row) for row in rows]
        await self._session.flush()
        revoked = [INVITATION_REVOKED.of(row) for row in rows]
        await record_all(self._session, list(zip(revoked, rows, changes, strict=True)))

    async def forget(self, email: str, *, instead: str) -> None:
        """Delete what was sent to an address, whose owner is to be forgotten.

        Events tell ``instead`` of it: that an invitation is no longer open, and those
        that nobody was told of yet.
        """
        sent = self.own().where(Invitation.email == email)
        pending = sent.where(_is_pending).with_for_update()
        for row in await self._session.scalars(pending):
            row.email = instead
            await self.remove(row)
        await self._session.execute(
            update(OutboxEvent)
            .where(OutboxEvent.organization_id == self._organization_id)
            .where(OutboxEvent.type.startswith("invitation."))
            .where(OutboxEvent.data["email"].astext == email)
            .values(data=OutboxEvent.data.concat({"email": instead}))
        )
        rest: Any = delete(Invitation).where(self.is_own(), Invitation.email == email)
        await self._session.execute(rest)


async def organization_inviting(
    session: AsyncSession, token_hash: bytes, *, email: str
) -> UUID:
    """Return whose invitation it is, to the user whom the session is bound to.

    Raises `NotFound` if the token is nobody's, or was sent to another address.
    """
    found: UUID | None = await session.scalar(
        select(Invitation.organization_id).where(
            Invitation.token_hash == token_hash, Invitation.email == email
        )
    )
    if found is None:
        raise NotFound("No invitation has this token.")
    return found


async def organizations_inviting(session: AsyncSession, email: str) -> list[UUID]:
    """Return who has invited the user whom the session is bound to, in order."""
    found = await session.scalars(
        select(Invitation.organization_id)
        .where(Invitation.email == email)
        .distinct()
        .order_by(Invitation.organization_id)
    )
    return list(found)
