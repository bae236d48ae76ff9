"""What one can do to one's own account, with the password as the proof."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.email_tokens import EmailTokenRepository
from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import UserRepository
from app.models.email_tokens import Purpose
from app.schemas.auth import ChangePasswordRequest, DeleteAccountRequest
from app.security.new_passwords import hash_new_password
from app.security.passwords import Passwords
from app.services.account_mails import AccountMails
from app.services.actor import Actor
from app.services.erasure import erase
from app.services.own_password import OwnPassword

# Whoever knew the old password may have asked for these.
_UNTRUSTED = (Purpose.CHANGE_EMAIL, Purpose.RESET_PASSWORD)


@dataclass(frozen=True, slots=True)
class AccountService:
    """The use cases that a stolen access token alone must not be enough for."""

    session: AsyncSession
    passwords: Passwords
    password: OwnPassword
    mails: AccountMails
    actor: Actor
    service_name: str

    async def change_password(self, request: ChangePasswordRequest) -> None:
        """Replace the password, and end all other sessions and the links of mails."""
        user = self.actor.require_oneself()
        verified = await self.password.verify(user, request.current_password)
        hashed = await hash_new_password(
            self.passwords,
            request.new_password,
            pointer="/body/new_password",
            context=(user.email, user.full_name, self.service_name),
        )
        row = await self.password.lock(self.session, verified, self.actor)
        changes = {
            "password_hash": hashed,
            "password_version": row.password_version + 1,
        }
        await UserRepository(self.session).update(row, changes)
        sessions = SessionRepository(self.session)
        await sessions.end_all_of(user.id, but=user.session_id)
        await EmailTokenRepository(self.session).void(user.id, _UNTRUSTED)
        await self.mails.password_changed(row, was_reset=False)

    async def delete(self, request: DeleteAccountRequest) -> None:
        """Erase one's personal data; raise `LastSuperuser` if one has to stay."""
        user = self.actor.require_oneself()
        verified = await self.password.verify(user, request.password)
        row = await self.password.lock(self.session, verified, self.actor)
        await erase(self.session, row, mails=self.mails)
