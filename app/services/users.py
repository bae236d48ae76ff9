"""What can be done with user accounts."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.email_tokens import EmailTokenRepository
from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import UserReader, UserRepository
from app.models.users import User, UserRow
from app.pagination import Slice
from app.preconditions import IfMatch
from app.schemas.users import OwnUserUpdate, UserCreate, UserQuery, UserUpdate
from app.services.account_mails import AccountMails
from app.services.actor import Actor
from app.services.departures import outwait_keys
from app.services.erasure import erase
from app.services.new_users import NewUsers

PRIVILEGES = frozenset({"is_active", "is_superuser"})


@dataclass(frozen=True, slots=True)
class UserService:
    """The use cases of accounts, for one actor in one transaction."""

    session: AsyncSession
    reader: UserReader
    new_users: NewUsers
    mails: AccountMails
    actor: Actor

    async def page(self, query: UserQuery) -> Slice[UserRow]:
        self.actor.require_superuser()
        return await self.reader.page(query.request())

    async def create(self, new: UserCreate) -> User:
        self.actor.require_superuser()
        made = await self.new_users.make(new)
        await self.actor.confirm(self.session)
        user = await UserRepository(self.session).add(made)
        if user.is_active:
            await self.mails.welcome(user)
        return user

    async def get(self, id: UUID) -> UserRow:
        self.actor.require_access_to(id)
        return await self.reader.get(id)

    async def update_own(self, patch: OwnUserUpdate, match: IfMatch) -> User:
        own = self.actor.require_user()
        users = UserRepository(self.session)
        user = await users.lock(own.id, match)
        await self.actor.confirm(self.session)
        return await users.update(user, patch.changes())

    async def update(self, id: UUID, patch: UserUpdate, match: IfMatch) -> User:
        """Change an account; a superuser may switch it off, which ends its sessions.

        Its API keys are good for nothing until it is switched on again.
        """
        self.actor.require_access_to(id)
        changes = patch.changes()
        if changes.keys() & PRIVILEGES:
            self.actor.require_superuser()
        users = UserRepository(self.session)
        user = await self._lock(id, match)
        if False in (changes.get("is_active"), changes.get("is_superuser")):
            await users.keep_a_superuser_besides(user)
        user = await users.update(user, changes)
        sessions = SessionRepository(self.session)
        if not user.is_active:
            await sessions.end_all_of(id)
            await EmailTokenRepository(self.session).void(id)
            await outwait_keys(self.session, user)
        elif changes.get("is_superuser") is False:
            await sessions.end_impersonations_by(id)
        return user

    async def delete(self, id: UUID, match: IfMatch) -> None:
        """Erase an account; raise `LastSuperuser` if nobody else would be left.

        To erase one's own takes the password, unless one is a superuser.
        """
        self.actor.require_access_to(id)
        self.actor.require_superuser()
        await erase(self.session, await self._lock(id, match), mails=self.mails)

    async def _lock(self, id: UUID, match: IfMatch) -> User:
        """Lock an account for a change, and that of the actor, who is made sure of."""
        users = UserRepository(self.session)
        await users.hold(id, self.actor.caller.id)
        await self.actor.confirm(self.session)
        return await users.lock(id, match)
