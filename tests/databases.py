"""Databases for tests: clones of one that the real migrations made."""

import asyncio
import contextlib
import fcntl
import itertools
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from app.db.embedded import EmbeddedPostgres
from app.db.migrations import migrate

TEMPLATE = "zenith"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Database:
    name: str
    app_url: str
    owner_url: str
    superuser_url: str


class Databases:
    """Makes databases; all workers of a run share one server and one template."""

    def __init__(self, postgres: EmbeddedPostgres, home: Path) -> None:
        self._postgres = postgres
        self._lock = home / "template.lock"
        self._is_migrated = False

    @contextlib.asynccontextmanager
    async def fresh(self, *, migrated: bool = True) -> AsyncIterator[Database]:
        """Yield a database of one's own, dropped in the end."""
        database = self._named(f"test_{os.getpid()}_{next(_numbers)}")
        await self._create(database, template=TEMPLATE if migrated else "template1")
        try:
            yield database
        finally:
            await self._execute(f"DROP DATABASE {database.name} WITH (FORCE)")

    def _named(self, name: str) -> Database:
        urls = (
            self._postgres.app_url,
            self._postgres.owner_url,
            self._postgres.superuser_url.replace("/postgres?", "/zenith?"),
        )
        assert all("/zenith?" in url for url in urls)
        return Database(name, *(url.replace("/zenith?", f"/{name}?") for url in urls))

    async def _create(self, database: Database, *, template: str) -> None:
        with self._alone():
            # No connection may be open to a template while it is copied.
            if template == TEMPLATE and not self._is_migrated:
                await asyncio.to_thread(self._migrate_template)
                self._is_migrated = True
            await self._execute(
                f"CREATE DATABASE {database.name} TEMPLATE {template}"
                " OWNER zenith_owner"
            )

    def _migrate_template(self) -> None:
        url = self._postgres.owner_url
        asyncio.run(migrate(url, app_role="zenith_app", notice=print))

    async def _execute(self, statement: str) -> None:
        connection = await asyncpg.connect(self._postgres.superuser_url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
