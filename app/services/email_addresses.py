"""Addresses: verified by who reads their mails, and changed."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.email_tokens import EmailTokenReader, EmailTokenRepository
from app.db.repositories.users import UserRepository
from app.errors import InvalidToken, NotFound
from app.models.base import utc_now
from app.models.email_tokens import EmailTokenRow, Purpose
from app.models.users import User
from app.schemas.auth import ChangeEmailRequest, TokenOfMail
from app.security.email_tokens import token_hash
from app.security.limits import MAILS, Limiter
from app.services.account_mails import AccountMails
from app.services.actor import Actor, public
from app.services.own_password import OwnPassword

_PURPOSES = {Purpose.VERIFY_EMAIL, Purpose.CHANGE_EMAIL}


@dataclass(frozen=True, slots=True)
class VerificationService:
    """The use case of whoever reads the mails of an address."""

    session: AsyncSession
    reader: EmailTokenReader
    mails: AccountMails

    @public("The token is the proof; the mail may be read on another device.")
    async def verify(self, request: TokenOfMail) -> None:
        """Verify an address, or make it the user's if that was asked for.

        Raises `InvalidToken`, and `EmailTaken` if another user has it by now.
        """
        found = await self.reader.by_hash(token_hash(request.token))
        if found is None or found.purpose not in _PURPOSES:
            raise InvalidToken(BAD_TOKEN)
        user = await use_token(self.session, found)
        if found.purpose == Purpose.CHANGE_EMAIL:
            await self._change(user, found.email)
        elif user.email != found.email:
            raise InvalidToken(BAD_TOKEN)
        elif user.email_verified_at is None:
            changes = {"email_verified_at": utc_now()}
            await UserRepository(self.session).update(user, changes)

    async def _change(self, user: User, email: str) -> None:
        old_email = user.email
        changes = {"email": email, "email_verified_at": utc_now()}
        await UserRepository(self.session).update(user, changes)
        # Others were mailed to an address that is not the user's any more.
        await EmailTokenRepository(self.session).void(user.id)
        await self.mails.email_changed(user, old=old_email)


@dataclass(frozen=True, slots=True)
class EmailAddressService:
    """What can be done about one's own address."""

    session: AsyncSession
    limiter: Limiter
    mails: AccountMails
    password: OwnPassword
    actor: Actor

    async def resend(self) -> None:
        """Mail the link again, which voids the one before; not if it was followed."""
        user = self.actor.require_oneself()
        await self.limiter.hit(MAILS, "verify", user.email)
        try:
            row = await UserRepository(self.session).lock(user.id)
        except NotFound:  # erased meanwhile
            row = None
        await self.actor.confirm(self.session)
        if row is not None and not row.email_verified:
            await self.mails.verify(row)

    async def change(self, request: ChangeEmailRequest) -> None:
        """Mail a link to an address that is to be one's own, and tell the old one."""
        user = self.actor.require_oneself()
        verified = await self.password.verify(user, request.password)
        await self.limiter.hit(MAILS, "change of", str(user.id))
        await self.limiter.hit(MAILS, "change to", request.new_email)
        row = await self.password.lock(self.session, verified, self.actor)
        await self.mails.change_email(row, new=request.new_email)


BAD_TOKEN = "The token is wrong, or was used, or is no longer good."  # noqa: S105 - a sentence


async def use_token(session: AsyncSession, found: EmailTokenRow) -> User:
    """Use a token up; return its user, locked. Raises `InvalidToken`."""
    try:
        user = await UserRepository(session).lock(found.user_id)
    except NotFound:
        raise InvalidToken(BAD_TOKEN) from None
    if not user.is_active or not await EmailTokenRepository(session).use(found):
        raise InvalidToken(BAD_TOKEN)
    return user
