"""What can be done with one's profile."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.profiles import ProfileReader, ProfileRepository
from app.db.repositories.users import UserRepository
from app.models.profiles import ProfileRow, UserProfile
from app.preconditions import IfMatch
from app.schemas.profiles import ProfileUpdate
from app.services.actor import Actor


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile as its user sees it."""

    id: UUID
    locale: str
    time_zone: str
    avatar_url: str | None
    updated_at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class ProfileService:
    """The use cases of one's profile."""

    session: AsyncSession
    reader: ProfileReader
    actor: Actor
    avatar_url: str

    async def get(self) -> Profile:
        user = self.actor.require_user()
        return self._shown(await self.reader.get(user))

    async def update(self, patch: ProfileUpdate, match: IfMatch) -> Profile:
        user = self.actor.require_user()
        await UserRepository(self.session).hold(user.id)
        await self.actor.confirm(self.session)
        profiles = ProfileRepository(self.session)
        row = await profiles.lock_or_make(user, match)
        return self._shown(await profiles.update(row, patch.changes()))

    def _shown(self, row: ProfileRow | UserProfile) -> Profile:
        # The name in the URL lets a client keep a picture until there is another one.
        name = row.avatar_key and PurePosixPath(row.avatar_key).stem
        return Profile(
            id=row.id,
            locale=row.locale,
            time_zone=row.time_zone,
            avatar_url=f"{self.avatar_url}?v={name}" if name else None,
            updated_at=row.updated_at,
            version=row.version,
        )
