"""What can be done with one's avatar."""

import contextlib
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.profiles import ProfileReader, ProfileRepository
from app.db.repositories.users import UserRepository
from app.errors import NotFound, Unavailable
from app.integrations.storage import NoSuchObject, Storage
from app.models.base import new_id
from app.models.profiles import ProfileRow
from app.models.users import SignedInUser
from app.pictures import WEBP, Pictures
from app.preconditions import IfMatch
from app.queue import Queue
from app.queue.files import RemoveFile
from app.services.actor import Actor

NO_AVATAR = "There is no avatar."


def folder_of(user_id: UUID) -> str:
    """Return where the storage has the pictures of a user."""
    return f"avatars/{user_id}"


@dataclass(frozen=True, slots=True)
class AvatarFiles:
    """The pictures in the storage, each under a key of its own for good."""

    storage: Storage

    async def add(self, user_id: UUID, content: bytes) -> str:
        """Store a picture and return its key."""
        key = f"{folder_of(user_id)}/{new_id()}.webp"
        await self.storage.put(key, content, content_type=WEBP)
        return key

    async def read(self, key: str) -> bytes:
        try:
            return await self.storage.get(key)
        except NoSuchObject:  # replaced since the key was read
            raise NotFound(NO_AVATAR) from None

    async def take_back(self, key: str) -> None:
        """Remove a picture that no row came to refer to, unless the storage is away."""
        with contextlib.suppress(Unavailable):
            await self.storage.delete(key)


@dataclass(frozen=True, slots=True)
class AvatarService:
    """The use cases of one's avatar; the version of the profile is its, too."""

    session: AsyncSession
    reader: ProfileReader
    actor: Actor
    files: AvatarFiles
    pictures: Pictures

    async def current(self) -> ProfileRow:
        """Return the profile with the avatar; raise `NotFound` if there is none."""
        user = self.actor.require_user()
        profile = await self.reader.get(user)
        if profile.avatar_key is None:
            raise NotFound(NO_AVATAR)
        return profile

    async def read(self, profile: ProfileRow) -> bytes:
        self.actor.require_access_to(profile.id)
        assert profile.avatar_key is not None
        return await self.files.read(profile.avatar_key)

    async def put(self, content: bytes, media_type: str, match: IfMatch) -> None:
        """Replace the avatar, whose file is there before a row refers to it."""
        user = self.actor.require_user()
        picture = await self.pictures.shrink(content, media_type)
        key = await self.files.add(user.id, picture)
        try:
            await self._replace(user, key, match)
        except BaseException:  # which takes back all that the transaction did
            await self.files.take_back(key)
            raise

    async def remove(self, match: IfMatch) -> None:
        user = self.actor.require_user()
        await self._replace(user, None, match)

    async def _replace(
        self, user: SignedInUser, key: str | None, match: IfMatch
    ) -> None:
        await UserRepository(self.session).hold(user.id)
        await self.actor.confirm(self.session)
        profiles = ProfileRepository(self.session)
        profile = await profiles.lock_or_make(user, match)
        replaced = profile.avatar_key
        await profiles.update(profile, {"avatar_key": key})
        if replaced is not None:
            await Queue(self.session).put(RemoveFile(key=replaced))
