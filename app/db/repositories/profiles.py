"""Queries about profiles."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert
from typing_extensions import override

from app.db.changes import differences, record_of_account
from app.db.reader import Query, Reader
from app.db.repositories.base import Repository, assign
from app.models.profiles import (
    DEFAULT_LOCALE,
    DEFAULT_TIME_ZONE,
    ProfileRow,
    UserProfile,
)
from app.models.users import UserRow
from app.preconditions import IfMatch

PROFILE_BY_ID = Query(
    select(
        UserProfile.id.label("id"),
        UserProfile.locale,
        UserProfile.time_zone,
        UserProfile.avatar_key,
        UserProfile.updated_at,
        UserProfile.version,
    ).where(UserProfile.id == bindparam("id")),
    ProfileRow,
)
UNCHANGED = 0  # the version of a profile before its first change


class ProfileReader:
    """Hot reads of profiles."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, user: UserRow) -> ProfileRow:
        """Return a profile; the defaults, as old as the account, where none is kept."""
        return await self._reader.one(PROFILE_BY_ID, id=user.id) or ProfileRow(
            id=user.id,
            locale=DEFAULT_LOCALE,
            time_zone=DEFAULT_TIME_ZONE,
            avatar_key=None,
            updated_at=user.created_at,
            version=UNCHANGED,
        )


class ProfileRepository(Repository[UserProfile]):
    """Profiles of all users."""

    model = UserProfile

    async def lock_or_make(self, user: UserRow, match: IfMatch) -> UserProfile:
        """Lock a profile for a change; the first one makes the row it would have read.

        Raises `PreconditionFailed` if it is not what ``match`` means.
        """
        row = {
            "user_id": user.id,
            "created_at": user.created_at,
            "updated_at": user.created_at,
            "version": UNCHANGED,
        }
        # Who comes second waits here for the first one, and changes that one's row.
        await self._session.execute(
            insert(UserProfile).values(row).on_conflict_do_nothing()
        )
        return await self.lock(user.id, match)

    @override
    async def update(self, row: UserProfile, changes: Mapping[str, Any]) -> UserProfile:
        assign(row, changes)
        different = differences(row)
        await self._session.flush()
        await record_of_account(
            self._session, "profile.updated", user_id=row.id, changes=different
        )
        return row

    async def remove(self, user_id: UUID) -> None:
        """Delete a user's profile, if there is one."""
        await self._session.execute(
            delete(UserProfile).where(UserProfile.id == user_id)
        )
