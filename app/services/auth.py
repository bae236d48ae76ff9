"""Signing up."""

from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.users import UserRepository
from app.models.users import User
from app.schemas.auth import RegisterRequest
from app.services.account_mails import AccountMails
from app.services.actor import public
from app.services.new_users import NewUsers


@dataclass(frozen=True, slots=True)
class AuthService:
    """The use cases of people who have no account yet."""

    session: AsyncSession
    new_users: NewUsers
    mails: AccountMails

    @public("Anybody may sign up.")
    async def register(self, new: RegisterRequest) -> User:
        """Create an account; raise `EmailTaken` if the address has one."""
        made = await self.new_users.make(new)
        user = await UserRepository(self.session).add(made)
        await self.mails.welcome(user)
        return user
