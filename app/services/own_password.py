"""The password as the proof that it is the owner who asks, and not a stolen token."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.users import Credentials, UserReader, UserRepository
from app.errors import InvalidPassword, NotFound, Unauthorized
from app.models.users import SignedInUser, User
from app.security.limits import LOGIN, Limiter, client_key
from app.security.passwords import Passwords
from app.services.actor import Actor, Client


@dataclass(frozen=True, slots=True)
class OwnPassword:
    """Compares the password of who is signed in."""

    reader: UserReader
    passwords: Passwords
    limiter: Limiter
    client: Client

    async def verify(self, user: SignedInUser, password: str) -> Credentials:
        """Compare the password; guesses count as failed logins."""
        who = (user.email, client_key(self.client.address))
        async with self.limiter.failures(LOGIN, *who, failure=InvalidPassword):
            credentials = await self.reader.credentials_of(user.id)
            hashed = credentials.password_hash if credentials else None
            verdict = await self.passwords.verify(password, hashed)
            if credentials is None or not verdict.is_right:
                raise InvalidPassword("The password is wrong.")
            return credentials

    async def lock(
        self, session: AsyncSession, verified: Credentials, actor: Actor
    ) -> User:
        """Lock the account; raise `InvalidPassword` if its password has changed."""
        try:
            row = await UserRepository(session).lock(verified.id)
        except NotFound:  # erased meanwhile
            raise Unauthorized from None
        if row.password_version != verified.password_version:
            raise InvalidPassword("The password was changed just now.")
        await actor.confirm(session)
        return row
