"""What can be done with user accounts."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.users import UserReader, UserRepository
from app.errors import NotFound
from app.models.users import User, UserRow
from app.schemas.users import UserUpdate
from app.services.actor import Actor


class UserService:
    """The use cases of accounts, for one actor in one transaction."""

    def __init__(self, session: AsyncSession, reader: UserReader, actor: Actor) -> None:
        self._users = UserRepository(session)
        self._reader = reader
        self._actor = actor

    async def get(self, id: UUID) -> UserRow:
        self._actor.require_access_to(id)
        user = await self._reader.find(id)
        if user is None:
            raise NotFound("No user has this id.")
        return user

    async def update_own(self, patch: UserUpdate) -> User:
        own = self._actor.require_user()
        user = await self._users.get(own.id)
        return await self._users.update(user, patch.changes())
