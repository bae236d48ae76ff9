"""Erasing an account: what is personal goes, what the books need stays."""

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.sessions import SessionRepository
from app.db.repositories.users import UserRepository
from app.models.users import User


async def erase(session: AsyncSession, user: User) -> None:
    """Erase a locked user; raise `LastSuperuser` if it is the last active one."""
    users = UserRepository(session)
    await users.keep_a_superuser_besides(user)
    await users.erase(user)
    await SessionRepository(session).end_all_of(user.id)
