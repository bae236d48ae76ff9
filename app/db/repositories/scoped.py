"""The door to the tables of one organization."""

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import override

from app.db.changes import additions, differences, record, removals
from app.db.repositories.base import Repository, assign
from app.errors import NotFound
from app.events import EventType
from app.models.base import Base
from app.preconditions import ANY_VERSION, IfMatch

M = TypeVar("M", bound=Base)


class ScopedRepository(Repository[M]):
    """Reads and writes of one model inside one organization.

    It writes each change down, for the audit trail and as an event: no use case does.
    """

    noun: ClassVar[str]
    added: ClassVar[EventType[Any]]
    updated: ClassVar[EventType[Any]]
    removed: ClassVar[EventType[Any]]

    def __init__(self, session: AsyncSession, organization_id: UUID) -> None:
        super().__init__(session)
        self._organization_id = organization_id

    def is_own(self) -> ColumnElement[bool]:
        """Return the condition that every statement here begins with."""
        column: Any = self.model.organization_id  # type: ignore[attr-defined]  # of OrganizationScoped
        return cast("ColumnElement[bool]", column == self._organization_id)

    def own(self) -> Select[M]:
        return select(self.model).where(self.is_own())

    @override
    async def lock(self, id: UUID, match: IfMatch = ANY_VERSION) -> M:
        found = self.own().where(self.model.id == id).with_for_update(key_share=True)
        return await self._one(found, match)

    @override
    async def add(self, row: M, *, event: EventType[Any] | None = None) -> M:
        row = await super().add(row)
        await self._record(event or self.added, row, additions(row))
        return row

    @override
    async def update(
        self, row: M, changes: Mapping[str, Any], *, event: EventType[Any] | None = None
    ) -> M:
        assign(row, changes)
        different = differences(row)
        await self._session.flush()
        if different:
            await self._record(event or self.updated, row, different)
        return row

    async def remove(self, row: M, *, event: EventType[Any] | None = None) -> None:
        await self._session.delete(row)
        await self._session.flush()
        await self._record(event or self.removed, row, removals(row))

    async def _one(self, found: Select[M], match: IfMatch = ANY_VERSION) -> M:
        """Run a SELECT of one row; raise `NotFound` if there is none."""
        found = found.execution_options(populate_existing=True)
        row: Any = await self._session.scalar(found)
        if row is None:
            raise self.missing()
        match.check(row)
        return cast("M", row)

    def missing(self) -> NotFound:
        return NotFound(f"No {self.noun} has this id.")

    async def _record(self, event: EventType[Any], row: M, changes: Any) -> None:
        await record(self._session, event.of(row), row=row, changes=changes)
