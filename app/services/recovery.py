"""Getting an account back whose password is lost, or somebody else's."""

import random
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.email_tokens import EmailTokenReader, EmailTokenRepository
from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import UserRepository
from app.errors import InvalidToken, TooManyRequests
from app.models.base import utc_now
from app.models.email_tokens import Purpose
from app.queue import Queue
from app.queue.mails import MailReset
from app.schemas.auth import ForgotPasswordRequest, ResetPasswordRequest
from app.security.email_tokens import token_hash
from app.security.limits import MAILS, Limiter
from app.security.new_passwords import hash_new_password
from app.security.passwords import Passwords
from app.services.account_mails import AccountMails
from app.services.actor import public
from app.services.email_addresses import BAD_TOKEN, use_token

LONGEST_DELAY = timedelta(seconds=2)
"""Work for an address that has an account is not to fall together with the answer."""


@dataclass(frozen=True, slots=True)
class RecoveryService:
    """The use cases of somebody who reads the mails of an account."""

    session: AsyncSession
    reader: EmailTokenReader
    passwords: Passwords
    limiter: Limiter
    mails: AccountMails
    service_name: str

    @public("Who has lost the password cannot sign in.")
    async def forgot(self, request: ForgotPasswordRequest) -> None:
        """Mail a link, if the address has an account; nobody is told whether it has."""
        try:
            await self.limiter.hit(MAILS, "reset", request.email)
        except TooManyRequests:
            return
        delay = LONGEST_DELAY * random.random()  # noqa: S311 - no secret
        await Queue(self.session).put(MailReset(email=request.email), delay=delay)

    @public("The token is the proof.")
    async def reset(self, request: ResetPasswordRequest) -> None:
        """Set a password, and end all that was begun without it.

        Somebody else may have signed up with the address before its owner did: their
        password, their sessions and all of their links are void.
        """
        found = await self.reader.by_hash(token_hash(request.token))
        if found is None or found.purpose != Purpose.RESET_PASSWORD:
            raise InvalidToken(BAD_TOKEN)
        hashed = await hash_new_password(
            self.passwords,
            request.password,
            pointer="/body/password",
            context=(found.user_email, found.user_full_name, self.service_name),
        )
        user = await use_token(self.session, found)
        if user.email != found.email:
            raise InvalidToken(BAD_TOKEN)
        changes = {
            "password_hash": hashed,
            "password_version": user.password_version + 1,
            "email_verified_at": user.email_verified_at or utc_now(),
        }
        await UserRepository(self.session).update(user, changes)
        await SessionRepository(self.session).end_all_of(user.id)
        await EmailTokenRepository(self.session).void(user.id)
        await self.mails.password_changed(user, was_reset=True)


@dataclass(frozen=True, slots=True)
class ResetMails:
    """What the request for a reset leaves to be done."""

    session: AsyncSession
    mails: AccountMails

    async def send(self, email: str) -> None:
        """Mail the link to whoever has this address and may sign in; else nothing."""
        user = await UserRepository(self.session).lock_active(email)
        if user is not None:
            await self.mails.reset(user)
