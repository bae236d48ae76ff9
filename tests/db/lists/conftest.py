"""A database with the things, and a Reader that is watched."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import asyncpg
import pytest
from typing_extensions import override

from app.db.connections import Connection
from app.db.reader import Query, R, Reader
from app.pagination import Cursors
from tests.databases import Database, Databases
from tests.db.lists.things import make_table


class WatchedReader(Reader):
    """Remembers what it was asked; something may happen before each statement."""

    def __init__(self, url: str) -> None:
        super().__init__(url, pool_size=2, cursors=Cursors([b"k" * 32]))
        self.asked: list[tuple[Query[Any], dict[str, Any]]] = []
        self.meanwhile: list[Callable[[], Awaitable[Any]]] = []

    @override
    async def records(self, query: Query[R], **values: Any) -> Sequence[asyncpg.Record]:
        self.asked.append((query, values))
        if self.meanwhile:
            await self.meanwhile.pop()()
        return await super().records(query, **values)


@pytest.fixture(scope="package")
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh(migrated=False) as database:
        await make_table(database)
        yield database


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(database.owner_url)
    yield connection
    await connection.close()


@pytest.fixture
async def reader(database: Database) -> AsyncIterator[WatchedReader]:
    reader = WatchedReader(database.app_url)
    await reader.open()
    yield reader
    await reader.close()
