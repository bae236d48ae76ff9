"""Brings a database to a revision of the schema, one process at a time."""

import asyncio
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import NullPool
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.db.connections import Connection, connect
from app.db.errors import sqlstate
from app.db.privileges import grants
from app.errors import OperatorError

SCRIPTS = Path(__file__).parents[2] / "alembic"
CURRENT_REVISION = "SELECT version_num FROM alembic_version"

_LOCK = 0x5A_45_4E_49  # any number; all versions of Zenith must agree on it
_LOCK_POLL_SECONDS = 0.5
_LOCK_NOT_AVAILABLE = "55P03"

Notice = Callable[[str], None]


class MigrationError(OperatorError):
    """The schema could not be changed; the message says what to do."""


@cache
def head_revision() -> str:
    """Return the newest revision, told by file names so as not to load Alembic."""
    newest = max(path.name for path in (SCRIPTS / "versions").glob("[0-9]*.py"))
    return newest.partition("_")[0]


async def current_revision(url: str) -> str | None:
    """Return the revision of a database; None if it has no schema yet."""
    connection = await connect(url)
    try:
        revision: str | None = await connection.fetchval(CURRENT_REVISION)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()
    return revision


async def migrate(url: str, *, app_role: str | None, notice: Notice) -> None:
    """Move the schema to the newest revision and let the app role use it.

    A second process waits for the first. Each migration is a transaction, or one that
    says so can be run again: after a kill, running again goes on from there.

    Raises `MigrationError` when a table stays locked.
    """
    engine = migration_engine(url)
    try:
        async with engine.connect() as connection:
            pooled = await connection.get_raw_connection()
            raw: Any = pooled.driver_connection
            await _take_turn(raw, notice)
            await connection.run_sync(_upgrade)
            await connection.rollback()  # what Alembic looked up, and nothing else
            if app_role is not None:
                async with connection.begin():
                    await connection.exec_driver_sql(grants(app_role))
    except DBAPIError as error:
        if sqlstate(error) == _LOCK_NOT_AVAILABLE:
            message = "A table stayed locked. Run it again: it goes on from there."
            raise MigrationError(message) from error
        raise
    finally:
        await engine.dispose()


def migration_engine(url: str) -> AsyncEngine:
    """Make an engine whose statements may take long and whose locks may not."""

    async def new_connection(*_: Any, **__: Any) -> Connection:
        connection = await connect(url, command_timeout=None)
        await connection.execute("SET statement_timeout = 0")
        return connection

    return create_async_engine(
        "postgresql+asyncpg://", async_creator=new_connection, poolclass=NullPool
    )


async def _take_turn(connection: Connection, notice: Notice) -> None:
    """Hold a lock until the connection ends, waiting without blocking the server."""
    waiting = False
    while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK):
        if not waiting:
            notice("Another process is migrating; waiting for it.")
        waiting = True
        await asyncio.sleep(_LOCK_POLL_SECONDS)


def _upgrade(connection: SyncConnection) -> None:
    # Alembic takes longer to import than to run, and only migrating needs it.
    from alembic import command  # noqa: PLC0415 - as said
    from alembic.config import Config  # noqa: PLC0415 - as said
    from alembic.util import CommandError  # noqa: PLC0415 - as said

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        message = f"The schema is not one of this version's ({error})."
        raise MigrationError(message) from error
