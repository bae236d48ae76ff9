"""Erasing an account: what is personal goes, what the books need stays."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.data_exports import DataExportRepository
from app.db.repositories.devices import DeviceRepository
from app.db.repositories.email_tokens import EmailTokenRepository
from app.db.repositories.invitations import (
    InvitationRepository,
    organizations_inviting,
)
from app.db.repositories.profiles import ProfileRepository
from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import ERASED_EMAIL, UserRepository
from app.db.tenancy import enter, inside
from app.models.users import User
from app.queue import Queue
from app.queue.files import RemoveFolder
from app.services.account_mails import AccountMails
from app.services.avatars import folder_of
from app.services.data_exports import exports_of
from app.services.departures import depart_from_all


async def erase(session: AsyncSession, user: User, *, mails: AccountMails) -> None:
    """Erase a locked user.

    Raises `LastSuperuser` or `LastOwner` if it is the last one somewhere.
    """
    users = UserRepository(session)
    await users.keep_a_superuser_besides(user)
    await depart_from_all(session, user)
    if user.email_verified:  # else they may be to somebody else
        await _forget_invitations(session, user)
    # Before the address: what they do now holds their session, and a new row of theirs
    # would wait for a change of what refers to them.
    await SessionRepository(session).end_all_of(user.id)
    await mails.forget(user, invitations=user.email_verified)
    await mails.deleted(user)
    await users.erase(user)
    await EmailTokenRepository(session).void(user.id)
    await DeviceRepository(session).forget_all_of(user.id)
    await ProfileRepository(session).remove(user.id)
    await DataExportRepository(session).remove(user.id)
    for folder in (folder_of(user.id), exports_of(user.id)):
        await Queue(session).put(RemoveFolder(folder=folder))


async def _forget_invitations(session: AsyncSession, user: User) -> None:
    """Delete invitations to a user's address, in one organization after the other."""
    erased = ERASED_EMAIL.format(id=user.id)
    async with inside(session, user_id=user.id):
        for organization_id in await organizations_inviting(session, user.email):
            await enter(session, organization_id=organization_id)
            invitations = InvitationRepository(session, organization_id)
            await invitations.forget(user.email, instead=erased)
