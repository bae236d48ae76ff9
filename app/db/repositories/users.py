"""Queries about users."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, select, update

from app.db.reader import Query, Reader
from app.db.repositories.base import Repository
from app.models.users import User, UserRow


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in compares."""

    user_id: UUID
    password_hash: str
    is_active: bool


def _user_rows() -> Select[UUID, str, str, bool, bool, bool, datetime, datetime]:
    return select(
        User.id,
        User.email,
        User.full_name,
        User.is_active,
        User.is_superuser,
        User.email_verified_at.is_not(None),
        User.created_at,
        User.updated_at,
    )


USER_BY_ID = Query(_user_rows().where(User.id == bindparam("id")), UserRow)
CREDENTIALS_BY_EMAIL = Query(
    select(User.id, User.password_hash, User.is_active).where(
        User.email == bindparam("email")
    ),
    Credentials,
)


class UserReader:
    """Hot reads of users."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def find(self, id: UUID) -> UserRow | None:
        return await self._reader.one(USER_BY_ID, id=id)

    async def credentials(self, email: str) -> Credentials | None:
        return await self._reader.one(CREDENTIALS_BY_EMAIL, email=email)


class UserRepository(Repository[User]):
    """Users of the whole system."""

    model = User

    async def replace_hash(self, verified: Credentials, password_hash: str) -> None:
        """Store another hash of a password, unless that was changed meanwhile."""
        await self._session.execute(
            update(User)
            .where(User.id == verified.user_id)
            .where(User.password_hash == verified.password_hash)
            .values(password_hash=password_hash)
        )

    async def superuser_exists(self) -> bool:
        found = await self._session.scalar(select(exists().where(User.is_superuser)))
        return bool(found)
