"""The lane of hot reads: statements compiled once, each run without a transaction."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Generic, TypeVar

import asyncpg
from sqlalchemy import Select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.types import TypeEngine

from app.db.connections import POOL_SECONDS, Connection, connect
from app.db.tenancy import in_context
from app.pagination import Cursors

R = TypeVar("R")

_DIALECT = dialect.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy has no types here
_GONE = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # the farewell of a backend that was ended, just read
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)


class Query(Generic[R]):
    """A SELECT, compiled once to SQL and the order of its parameters.

    ``context`` names those of them that row-level security lets rows through by.
    """

    def __init__(
        self,
        statement: Select[*tuple[Any, ...]],
        row: Callable[..., R],
        *,
        context: Sequence[str] = (),
    ) -> None:
        require_fields(statement, row)
        if context:
            statement = in_context(statement, *context)
        options = {"render_postcompile": True}
        compiled = statement.compile(dialect=_DIALECT, compile_kwargs=options)
        self.sql = str(compiled)
        self.row = row
        self._names = tuple(compiled.positiontup or ())
        self._constants = compiled.params
        self._conversions = {
            name: convert
            for parameter, name in compiled.bind_names.items()
            if (convert := _conversion(parameter.type)) is not None
        }

    def arguments(self, values: dict[str, Any]) -> list[Any]:
        """Put the given values, and the statement's own constants, in order."""
        known = {**self._constants, **values}
        for name, convert in self._conversions.items():
            known[name] = convert(known[name])
        return [known[name] for name in self._names]


def require_fields(
    statement: Select[*tuple[Any, ...]], row: Callable[..., object]
) -> None:
    """Refuse a SELECT whose columns are not the fields of its dataclass, in order.

    Rows are made by position: two columns in the wrong order could have right types.
    """
    if is_dataclass(row):
        columns = [column.name for column in statement.selected_columns]
        if columns != [field.name for field in fields(row)]:
            raise TypeError(f"{row} and its SELECT differ: {', '.join(columns)}")


class Reader:
    """Runs queries on a pool of autocommit connections to the primary database.

    A read that meets a dead connection is run once more: it changes nothing. Without
    ``cursors`` those of its lists are good in this process only.
    """

    def __init__(
        self, url: str, *, pool_size: int, cursors: Cursors | None = None
    ) -> None:
        self.cursors = cursors or Cursors([secrets.token_bytes()])
        self._size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] = asyncpg.create_pool(  # type: ignore[call-overload]  # the stubs want a class
            url,
            connect=connect,
            min_size=0,
            max_size=pool_size,
            # Nothing is left on a connection that runs single statements only, and
            # the reset would cost a round trip after each.
            reset=_keep,
        )

    async def open(self) -> None:
        """Make the pool ready; needs no database."""
        await self._pool

    async def warm_up(self) -> None:
        """Open every connection, so that the first requests need not."""
        acquired = await asyncio.gather(
            *(self._pool.acquire(timeout=POOL_SECONDS) for _ in range(self._size)),
            return_exceptions=True,
        )
        for connection in acquired:
            if not isinstance(connection, BaseException):
                await self._pool.release(connection)
        for failure in acquired:
            if isinstance(failure, BaseException):
                raise failure

    async def close(self) -> None:
        self._pool.terminate()

    @property
    def in_use(self) -> int:
        """Connections that run a statement now."""
        return self._pool.get_size() - self._pool.get_idle_size()

    async def one(self, query: Query[R], **values: Any) -> R | None:
        """Return the first row, if there is one."""
        rows = await self.all(query, **values)
        return rows[0] if rows else None

    async def all(self, query: Query[R], **values: Any) -> list[R]:
        return [query.row(*record) for record in await self.records(query, **values)]

    async def records(self, query: Query[R], **values: Any) -> Sequence[asyncpg.Record]:
        """Return the rows as the driver gives them."""
        return await self._fetch(query.sql, query.arguments(values))

    async def scalar(self, sql: str) -> Any:
        """Return one value of a statement about the database itself."""
        records = await self._fetch(sql, [])
        return records[0][0] if records else None

    async def _fetch(
        self, sql: str, arguments: Sequence[Any]
    ) -> Sequence[asyncpg.Record]:
        try:
            return await self._fetch_once(sql, arguments)
        except _GONE:
            # Whatever ended this connection may have ended the others.
            await self._pool.expire_connections()
            return await self._fetch_once(sql, arguments)

    async def _fetch_once(
        self, sql: str, arguments: Sequence[Any]
    ) -> Sequence[asyncpg.Record]:
        async with self._pool.acquire(timeout=POOL_SECONDS) as connection:
            records: list[asyncpg.Record] = await connection.fetch(sql, *arguments)
            return records


def _conversion(type_: TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """Return what a type does to values before the driver gets them, if anything."""
    convert: Callable[[Any], Any] | None
    convert = type_.dialect_impl(_DIALECT).bind_processor(_DIALECT)
    return convert


async def _keep(_: Connection) -> None:
    """Leave a connection as it is."""
