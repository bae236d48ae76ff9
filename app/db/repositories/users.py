"""Queries about users."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, exists, func, select, update
from typing_extensions import override

from app.db.changes import Changes, additions, differences, record_of_account
from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.db.repositories.base import Repository, assign
from app.errors import LastSuperuser, NotFound
from app.models.base import utc_now
from app.models.users import User, UserRow
from app.pagination import PageRequest, Slice
from app.preconditions import ANY_VERSION, IfMatch
from app.search import matches

# Reserved for what does not exist (RFC 6761): nobody can sign up with such an address.
ERASED_EMAIL = "{id}@erased.invalid"
ERASED_NAME = "Erased user"
NO_USER = "No user has this id."
NO_PASSWORD = "!"  # noqa: S105 - no password has this hash

# Chosen once; the lock under which superusers become fewer.
_SUPERUSERS_LOCK = 7_033_701_420


@dataclass(frozen=True, slots=True)
class Credentials:
    """What signing in compares."""

    id: UUID
    email: str
    full_name: str
    password_hash: str
    password_version: int
    is_active: bool


def user_columns() -> Select[UUID, str, str, bool, bool, bool, datetime, datetime, int]:
    """Select what `UserRow` holds, of every user who is not erased."""
    return select(
        User.id,
        User.email,
        User.full_name,
        User.is_active,
        User.is_superuser,
        User.email_verified_at.is_not(None).label("email_verified"),
        User.created_at,
        User.updated_at,
        User.version,
    ).where(User.erased_at.is_(None))


def _credentials() -> Select[UUID, str, str, str, int, bool]:
    return select(
        User.id,
        User.email,
        User.full_name,
        User.password_hash,
        User.password_version,
        User.is_active,
    )


USER_BY_ID = Query(user_columns().where(User.id == bindparam("id")), UserRow)
CREDENTIALS_BY_EMAIL = Query(
    _credentials().where(User.email == bindparam("email")),
    Credentials,
)
CREDENTIALS_BY_ID = Query(
    _credentials().where(User.id == bindparam("id")),
    Credentials,
)
USERS = Listing(
    "users",
    user_columns(),
    UserRow,
    key=User.id,
    sorts={
        "created_at": User.created_at,
        "email": User.email,
        "full_name": User.full_name,
    },
    filters={
        "q": matches(User.search_text),
        "is_active": User.is_active == bindparam("is_active"),
        "is_superuser": User.is_superuser == bindparam("is_superuser"),
    },
)


class UserReader:
    """Hot reads of users."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, id: UUID) -> UserRow:
        user = await self._reader.one(USER_BY_ID, id=id)
        if user is None:
            raise NotFound(NO_USER)
        return user

    async def page(self, request: PageRequest) -> Slice[UserRow]:
        return await USERS.page(self._reader, request)

    async def credentials(self, email: str) -> Credentials | None:
        return await self._reader.one(CREDENTIALS_BY_EMAIL, email=email)

    async def credentials_of(self, id: UUID) -> Credentials | None:
        return await self._reader.one(CREDENTIALS_BY_ID, id=id)


class UserRepository(Repository[User]):
    """Users of the whole system."""

    model = User

    @override
    async def lock(self, id: UUID, match: IfMatch = ANY_VERSION) -> User:
        user = await super().lock(id)
        if user.erased_at is not None:
            raise NotFound(NO_USER)
        match.check(user)
        return user

    @override
    async def add(self, row: User) -> User:
        row = await super().add(row)
        await self._record("user.created", row, additions(row))
        return row

    @override
    async def update(
        self, row: User, changes: Mapping[str, Any], *, action: str = "user.updated"
    ) -> User:
        assign(row, changes)
        different = differences(row)
        await self._session.flush()
        await self._record(action, row, different)
        return row

    async def _record(self, action: str, user: User, changes: Changes) -> None:
        await record_of_account(self._session, action, user_id=user.id, changes=changes)

    async def hold(self, *ids: UUID) -> None:
        """Lock several users in an order, so that nobody waits in a circle."""
        await self._session.execute(
            select(User.id)
            .where(User.id.in_(ids))
            .order_by(User.id)
            .with_for_update(key_share=True)
        )

    async def lock_active(self, email: str) -> User | None:
        """Lock whoever has an address and may sign in, if anybody does."""
        found = select(User).where(User.email == email, User.is_active)
        user: User | None = await self._session.scalar(
            found.with_for_update(key_share=True)
        )
        return user

    async def replace_hash(self, verified: Credentials, password_hash: str) -> None:
        """Store another hash of a password, unless that was changed meanwhile."""
        await self._session.execute(
            update(User)
            .where(User.id == verified.id)
            .where(User.password_hash == verified.password_hash)
            # The account as others see it stays the same.
            .values(password_hash=password_hash, updated_at=User.updated_at)
        )

    async def still_has(self, verified: Credentials) -> bool:
        """Tell whether a verified password is still the one of an active user.

        It stays so until the transaction ends.
        """
        found = await self._session.scalar(
            select(User.id)
            .where(User.id == verified.id)
            .where(User.password_version == verified.password_version)
            .where(User.is_active)
            .with_for_update(read=True)
        )
        return found is not None

    async def superuser_exists(self) -> bool:
        found = await self._session.scalar(select(exists().where(User.is_superuser)))
        return bool(found)

    async def keep_a_superuser_besides(self, user: User) -> None:
        """Raise `LastSuperuser` if this is the last active one.

        Who takes superusers away waits here for the others who do: two of them would
        else see each other stay.
        """
        if not (user.is_superuser and user.is_active):
            return
        await self._session.execute(
            select(func.pg_advisory_xact_lock(_SUPERUSERS_LOCK))
        )
        others = exists().where(User.is_superuser, User.is_active, User.id != user.id)
        if not await self._session.scalar(select(others)):
            raise LastSuperuser("This is the last active superuser.")

    async def erase(self, user: User) -> None:
        """Take everything personal out of a row that has to stay."""
        await self.update(
            user,
            {
                "email": ERASED_EMAIL.format(id=user.id),
                "full_name": ERASED_NAME,
                "password_hash": NO_PASSWORD,
                "password_version": user.password_version + 1,
                "is_active": False,
                "is_superuser": False,
                "email_verified_at": None,
                "erased_at": utc_now(),
            },
            action="user.deleted",
        )
