"""The one door to the tables."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value

from app.errors import NotFound
from app.models.base import Base
from app.preconditions import ANY_VERSION, IfMatch

M = TypeVar("M", bound=Base)


class Repository(Generic[M]):
    """Reads and writes of one model in one transaction."""

    model: type[M]

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, id: UUID, match: IfMatch = ANY_VERSION) -> M:
        """Get a row to change it; who else wants to change it waits for this one.

        Raises `NotFound`, or `PreconditionFailed` if it is not what ``match`` means.
        """
        row: Any = await self._session.get(
            self.model, id, with_for_update={"key_share": True}, populate_existing=True
        )
        if row is None:
            raise NotFound(f"No {self.model.__name__.lower()} has this id.")
        match.check(row)  # which looks at the version only if the client has told one
        return cast("M", row)

    async def add(self, row: M) -> M:
        self._session.add(row)
        await self._session.flush()
        _know(row)
        return row

    async def update(self, row: M, changes: Mapping[str, Any]) -> M:
        assign(row, changes)
        await self._session.flush()
        return row


def _know(row: Base) -> None:
    """Let a new row know that what it was not given is empty, as it is stored."""
    state = inspect(row)
    for attribute in state.mapper.column_attrs:
        if attribute.key in state.unloaded and not attribute.columns[0].server_default:
            set_committed_value(row, attribute.key, None)


def assign(row: Base, changes: Mapping[str, Any]) -> None:
    """Set fields of a row; the next flush stores them."""
    for field, value in changes.items():
        setattr(row, field, value)
