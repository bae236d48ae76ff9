"""What one can do to one's own account, with the password as the proof."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import Credentials, UserReader, UserRepository
from app.errors import InvalidPassword, NotFound, Unauthorized
from app.models.users import SignedInUser, User
from app.schemas.auth import ChangePasswordRequest, DeleteAccountRequest
from app.security.limits import LOGIN, Limiter, client_key
from app.security.new_passwords import hash_new_password
from app.security.passwords import Passwords
from app.services.actor import Actor, Client
from app.services.erasure import erase


@dataclass(frozen=True, slots=True)
class AccountService:
    """The use cases that a stolen access token alone must not be enough for."""

    session: AsyncSession
    reader: UserReader
    passwords: Passwords
    limiter: Limiter
    client: Client
    actor: Actor
    service_name: str

    async def change_password(self, request: ChangePasswordRequest) -> None:
        """Replace the password and end all other sessions."""
        user = self.actor.require_user()
        verified = await self._verify(user, request.current_password)
        hashed = await hash_new_password(
            self.passwords,
            request.new_password,
            pointer="/body/new_password",
            context=(user.email, user.full_name, self.service_name),
        )
        row = await self._lock(verified)
        changes = {
            "password_hash": hashed,
            "password_version": row.password_version + 1,
        }
        await UserRepository(self.session).update(row, changes)
        sessions = SessionRepository(self.session)
        await sessions.end_all_of(user.id, but=user.session_id)

    async def delete(self, request: DeleteAccountRequest) -> None:
        """Erase one's personal data; raise `LastSuperuser` if one has to stay."""
        user = self.actor.require_user()
        verified = await self._verify(user, request.password)
        await erase(self.session, await self._lock(verified))

    async def _verify(self, user: SignedInUser, password: str) -> Credentials:
        """Compare the password; guesses count as failed logins."""
        who = (user.email, client_key(self.client.address))
        async with self.limiter.failures(LOGIN, *who, failure=InvalidPassword):
            credentials = await self.reader.credentials_of(user.id)
            hashed = credentials.password_hash if credentials else None
            verdict = await self.passwords.verify(password, hashed)
            if credentials is None or not verdict.is_right:
                raise InvalidPassword("The password is wrong.")
            return credentials

    async def _lock(self, verified: Credentials) -> User:
        """Lock the account; raise `InvalidPassword` if its password has changed."""
        try:
            row = await UserRepository(self.session).lock(verified.user_id)
        except NotFound:  # erased meanwhile
            raise Unauthorized from None
        if row.password_version != verified.password_version:
            raise InvalidPassword("The password was changed just now.")
        await self.actor.confirm(self.session)
        return row
