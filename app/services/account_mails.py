"""Mails about an account, each sent once the change that it tells of is committed."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.email_tokens import EmailTokenRepository
from app.db.repositories.jobs import JobRepository
from app.errors import TooManyRequests
from app.mail.messages import (
    AccountDeleted,
    AnyMail,
    ConfirmNewEmail,
    DataExportReady,
    EmailChanged,
    EmailChangeRequested,
    LinkMail,
    NewDevice,
    PasswordChanged,
    ResetPassword,
    VerifyEmail,
    Welcome,
)
from app.models.base import new_id, utc_now
from app.models.email_tokens import EmailToken, Purpose
from app.queue import Queue
from app.queue.mails import SendMail
from app.security.email_tokens import EmailTokens
from app.security.limits import MAILS, NOTICES, Limiter


class Addressee(Protocol):
    """A user, in whichever shape."""

    @property
    def id(self) -> UUID: ...
    @property
    def email(self) -> str: ...
    @property
    def full_name(self) -> str: ...


@dataclass(frozen=True, slots=True)
class AccountMails:
    """Puts mails, and the tokens of their links, into one transaction with a change.

    Who asks for a link has locked the user: of two at once, the later one's is good.
    """

    session: AsyncSession
    tokens: EmailTokens
    limiter: Limiter

    async def welcome(self, user: Addressee) -> None:
        """Welcome somebody, who is asked to verify their address.

        Of many accounts with one address, each of them deleted again, few are.
        """
        with contextlib.suppress(TooManyRequests):
            await self.limiter.hit(MAILS, "welcome", user.email)
            await self._welcome(user)

    async def _welcome(self, user: Addressee) -> None:
        token_id = await self._token(user, Purpose.VERIFY_EMAIL, user.email, Welcome)
        to, name = user.email, user.full_name
        await self._send(Welcome(to=to, full_name=name, token_id=token_id))

    async def verify(self, user: Addressee) -> None:
        """Ask somebody once more to verify their address."""
        purpose = Purpose.VERIFY_EMAIL
        token_id = await self._token(user, purpose, user.email, VerifyEmail)
        to, name = user.email, user.full_name
        await self._send(VerifyEmail(to=to, full_name=name, token_id=token_id))

    async def reset(self, user: Addressee) -> None:
        purpose = Purpose.RESET_PASSWORD
        token_id = await self._token(user, purpose, user.email, ResetPassword)
        to, name = user.email, user.full_name
        await self._send(ResetPassword(to=to, full_name=name, token_id=token_id))

    async def change_email(self, user: Addressee, *, new: str) -> None:
        """Ask the new address for its consent, and let the one that it has know."""
        purpose = Purpose.CHANGE_EMAIL
        token_id = await self._token(user, purpose, new, ConfirmNewEmail)
        old, name = user.email, user.full_name
        await self._send(ConfirmNewEmail(to=new, full_name=name, token_id=token_id))
        await self._notify(EmailChangeRequested(to=old, full_name=name, new_email=new))

    async def email_changed(self, user: Addressee, *, old: str) -> None:
        name, new = user.full_name, user.email
        await self._notify(EmailChanged(to=old, full_name=name, new_email=new))

    async def password_changed(self, user: Addressee, *, was_reset: bool) -> None:
        await self._notify(
            PasswordChanged(
                to=user.email,
                full_name=user.full_name,
                at=utc_now(),
                was_reset=was_reset,
            )
        )

    async def new_device(self, user: Addressee, *, device: str, ip: str | None) -> None:
        await self._notify(
            NewDevice(
                to=user.email,
                full_name=user.full_name,
                device=device,
                ip=ip,
                at=utc_now(),
            )
        )

    async def data_export_ready(self, user: Addressee, *, expires_at: datetime) -> None:
        to, name = user.email, user.full_name
        await self._notify(
            DataExportReady(to=to, full_name=name, expires_at=expires_at)
        )

    async def deleted(self, user: Addressee) -> None:
        await self._notify(AccountDeleted(to=user.email, full_name=user.full_name))

    async def forget(self, user: Addressee, *, invitations: bool) -> None:
        """Take mails away that have not been sent, to a user or, if held, about them.

        A warning that still waits, at the address before, has to go out. So have
        ``invitations`` to an address of which nobody knows that it is the user's.
        """
        jobs, kind = JobRepository(self.session), SendMail.type
        invited = None if invitations else {"mail": {"kind": "invitation"}}
        await jobs.forget(kind, {"mail": {"to": user.email}}, but=invited)
        for about in ({"new_email": user.email}, {"invited_by": str(user.id)}):
            await jobs.forget(kind, {"mail": about}, held_only=True)

    async def _token(
        self, user: Addressee, purpose: Purpose, email: str, mail: type[LinkMail]
    ) -> UUID:
        id_, now = new_id(), utc_now()
        await EmailTokenRepository(self.session).replace(
            EmailToken(
                id=id_,
                user_id=user.id,
                purpose=purpose,
                email=email,
                token_hash=self.tokens.make(id_),
                created_at=now,
                expires_at=now + mail.valid_for,
            )
        )
        return id_

    async def _notify(self, mail: AnyMail) -> None:
        """Tell of a change, unless the address was told of many.

        Anybody can sign up with it, and change one thing after the other.
        """
        with contextlib.suppress(TooManyRequests):
            await self.limiter.hit(NOTICES, mail.kind, mail.to)
            await self._send(mail)

    async def _send(self, mail: AnyMail) -> None:
        await Queue(self.session).put(SendMail(mail=mail))
