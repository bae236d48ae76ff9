"""The one door to the tables."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.errors import NotFound
from app.models.base import Base

M = TypeVar("M", bound=Base)


class Repository(Generic[M]):
    """Reads and writes of one model in one transaction."""

    model: type[M]

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, id: UUID) -> M:
        row = await self._session.get(self.model, id)
        if row is None:
            raise NotFound(f"No {self.model.__name__.lower()} has this id.")
        return row

    async def add(self, row: M) -> M:
        self._session.add(row)
        await self._session.flush()
        return row

    async def update(self, row: M, changes: Mapping[str, Any]) -> M:
        for field, value in changes.items():
            setattr(row, field, value)
        await self._session.flush()
        return row
