"""Exports of personal data: asked for, made by a job, fetched, cleared away."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.data_exports import DataExportReader, DataExportRepository
from app.db.repositories.users import UserRepository
from app.errors import NotFound
from app.integrations.storage import NoSuchObject, Part, Storage
from app.models.base import new_id, utc_now
from app.models.data_exports import DataExport, DataExportRow
from app.models.users import SignedInUser
from app.queue import Queue
from app.queue.data_exports import ExportData
from app.queue.files import RemoveFile
from app.security.limits import EXPORTS, Limiter
from app.services.account_mails import AccountMails
from app.services.actor import Actor

LASTS = timedelta(days=7)
"""An export that is ready, and one that is tried: then another one can be made."""

PIECE = 256 * 1024
"""Bytes of a document in memory while it is sent."""


def exports_of(user_id: UUID) -> str:
    """Return the folder where the storage has the exports of a user."""
    return f"exports/{user_id}"


@dataclass(frozen=True, slots=True)
class DataExportFiles:
    """The documents in the storage, each under the key of its request."""

    storage: Storage

    async def put(self, key: str, document: bytes) -> None:
        await self.storage.put(key, document, content_type="application/json")

    async def open(self, key: str) -> AsyncIterator[bytes] | None:
        """Return a document in pieces; None if it is lost."""
        try:
            first = await self.storage.part(key, start=0, most=PIECE)
        except NoSuchObject:
            return None
        return self._pieces(key, first)

    async def _pieces(self, key: str, part: Part) -> AsyncIterator[bytes]:
        sent = len(part.content)
        yield part.content
        while sent < part.size:
            part = await self.storage.part(key, start=sent, most=PIECE)
            sent += len(part.content)
            yield part.content

    async def remove(self, key: str) -> None:
        await self.storage.delete(key)


@dataclass(frozen=True, slots=True)
class DataExportService:
    """The use case of somebody who wants to know what is known of them."""

    session: AsyncSession
    reader: DataExportReader
    limiter: Limiter
    files: DataExportFiles
    actor: Actor

    async def get(self) -> AsyncIterator[bytes] | DataExportRow:
        """Return the document; while there is none, what is told of its making.

        The first one who asks begins that, and so does who finds it expired or lost.
        """
        user = self.actor.require_oneself()
        found = await self.reader.of_user(user.id)
        if found is not None:
            if found.ready_at is None:
                return found
            document = await self.files.open(found.key)
            if document is not None:
                return document
        return await self._replace(user, found)

    async def _replace(
        self, user: SignedInUser, lost: DataExportRow | None
    ) -> DataExportRow:
        """Begin an export, unless somebody else has done so since it was looked up."""
        await UserRepository(self.session).hold(user.id)
        await self.actor.confirm(self.session)
        exports = DataExportRepository(self.session)
        locked = await exports.lock_of(user.id)
        if locked and locked.is_live and not (lost and lost.key == locked.row.key):
            return _as_read(locked.row)
        await self.limiter.hit(EXPORTS, str(user.id))
        now = utc_now()
        begun = {
            "requested_at": now,
            "ready_at": None,
            "expires_at": now + LASTS,
            "key": f"{exports_of(user.id)}/{new_id()}.json",
        }
        queue = Queue(self.session)
        if locked:
            await queue.put(RemoveFile(key=locked.row.key))
            row = await exports.update(locked.row, begun)
        else:
            row = await exports.add(DataExport(id=user.id, **begun))
        await queue.put(ExportData(user_id=user.id, key=row.key))
        return _as_read(row)


@dataclass(frozen=True, slots=True)
class MadeExports:
    """What the job does when it has stored a document."""

    session: AsyncSession
    mails: AccountMails

    async def finish(self, user_id: UUID, key: str) -> bool:
        """Let the user fetch it, and tell them; return whether it is still wanted.

        It is not if they were erased or deactivated, or asked for a later one.
        """
        try:
            user = await UserRepository(self.session).lock(user_id)
        except NotFound:
            return False
        exports = DataExportRepository(self.session)
        locked = await exports.lock_of(user_id)
        if locked is None or locked.row.key != key:
            return False
        if not user.is_active:
            await exports.remove(user_id)
            return False
        if locked.row.ready_at is None:
            now = utc_now()
            ready = {"ready_at": now, "expires_at": now + LASTS}
            row = await exports.update(locked.row, ready)
            await self.mails.data_export_ready(user, expires_at=row.expires_at)
        return True


async def clear_expired_exports(session: AsyncSession, *, limit: int) -> int:
    """Delete a batch that has expired, with their files; return how many."""
    keys = await DataExportRepository(session).remove_expired(limit)
    for key in keys:
        await Queue(session).put(RemoveFile(key=key))
    return len(keys)


def _as_read(row: DataExport) -> DataExportRow:
    return DataExportRow(
        requested_at=row.requested_at,
        ready_at=row.ready_at,
        expires_at=row.expires_at,
        key=row.key,
    )
