"""Queries about exports of personal data."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select

from app.db.reader import Query, Reader
from app.db.repositories.base import Repository
from app.models.data_exports import DataExport, DataExportRow

DATA_EXPORT_OF_USER = Query(
    select(
        DataExport.requested_at,
        DataExport.ready_at,
        DataExport.expires_at,
        DataExport.key,
    ).where(DataExport.id == bindparam("user_id"), DataExport.expires_at > func.now()),
    DataExportRow,
)


class DataExportReader:
    """Hot reads of exports."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def of_user(self, user_id: UUID) -> DataExportRow | None:
        """Return the export of a user, unless it has expired."""
        return await self._reader.one(DATA_EXPORT_OF_USER, user_id=user_id)


@dataclass(frozen=True, slots=True)
class LockedExport:
    """An export that nobody else can change now."""

    row: DataExport
    is_live: bool


class DataExportRepository(Repository[DataExport]):
    """Exports of all users. Who makes or finishes one has locked the user before."""

    model = DataExport

    async def lock_of(self, user_id: UUID) -> LockedExport | None:
        """Lock the export of a user, if there is one."""
        found = await self._session.execute(
            select(DataExport, DataExport.expires_at > func.clock_timestamp())
            .where(DataExport.id == user_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        row = found.one_or_none()
        return LockedExport(*row) if row else None

    async def remove(self, user_id: UUID) -> None:
        """Delete the export of a user, if there is one."""
        await self._session.execute(delete(DataExport).where(DataExport.id == user_id))

    async def remove_expired(self, limit: int) -> list[str]:
        """Delete a batch that has expired; return the keys of the files."""
        expired = (
            select(DataExport.id)
            .where(DataExport.expires_at < func.now())
            .order_by(DataExport.expires_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        gone = delete(DataExport).where(DataExport.id.in_(expired))
        return list(await self._session.scalars(gone.returning(DataExport.key)))
