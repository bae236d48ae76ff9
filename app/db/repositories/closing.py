"""Deleting what belongs to an organization that is no more."""

from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tenancy import enter
from app.models import AuditEvent, Base, Organization, OutboxEvent

# The books stay, and events that have not been told yet.
_KEPT = {AuditEvent.__tablename__, OutboxEvent.__tablename__}


def _tables() -> list[Table]:
    """Return all tables of organizations, those that refer to others first."""
    return [
        table
        for table in reversed(Base.metadata.sorted_tables)
        if "organization_id" in table.c and table.name not in _KEPT
    ]


class ClosingRepository:
    """All rows of one organization, which is marked as deleted."""

    def __init__(self, session: AsyncSession, organization_id: UUID) -> None:
        self._session = session
        self._organization_id = organization_id

    async def delete_batch(self, limit: int) -> int:
        """Delete some rows, at last the organization's own; return how many.

        Fewer than the limit means that nothing is left. One that is not marked as
        deleted keeps everything.
        """
        await enter(self._session, organization_id=self._organization_id)
        closed = select(Organization.id).where(
            Organization.id == self._organization_id,
            Organization.deleted_at.is_not(None),
        )
        if await self._session.scalar(closed) is None:
            return 0
        deleted = 0
        for table in _tables():
            if deleted < limit:
                deleted += await self._delete(table, limit - deleted)
        if deleted < limit:
            deleted += await self._run(
                delete(Organization).where(Organization.id.in_(closed))
            )
        return deleted

    async def _delete(self, table: Table, limit: int) -> int:
        rows = (
            select(table.c.id)
            .where(table.c.organization_id == self._organization_id)
            .limit(limit)
        )
        return await self._run(delete(table).where(table.c.id.in_(rows)))

    async def _run(self, statement: Any) -> int:
        result = await self._session.execute(statement)
        assert isinstance(result, CursorResult)
        return result.rowcount
