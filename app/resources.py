"""What lives as long as the process and is shared by all requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import structlog
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.config import Settings, SettingsError
from app.db.engine import create_engine, sessions_of
from app.db.errors import DATABASE_ERRORS
from app.db.reader import Reader
from app.errors import Unavailable
from app.security.keys import SigningKeys
from app.security.passwords import Passwords
from app.security.tokens import AccessTokens

FAREWELL_SECONDS = 1

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Resources:
    settings: Settings
    engine: AsyncEngine
    sessions: async_sessionmaker[AsyncSession]
    reader: Reader
    passwords: Passwords
    keys: SigningKeys
    tokens: AccessTokens

    @property
    def connections_in_use(self) -> int:
        """Connections of sessions that work for a request now."""
        pool = self.engine.sync_engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()


@contextlib.asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Make everything that needs no database, then warm up what does.

    A database that is away does not stop the start: readiness tells, and the first
    request after its return connects.
    """
    if settings.DATABASE_URL is None:
        raise SettingsError("DATABASE_URL: needed here; `zenith up` brings a database")
    url = settings.DATABASE_URL.get_secret_value()
    keys = SigningKeys.of(settings)
    engine = create_engine(
        url, pool_size=settings.DB_POOL_SIZE, max_overflow=settings.DB_MAX_OVERFLOW
    )
    resources = Resources(
        settings=settings,
        engine=engine,
        sessions=sessions_of(engine),
        reader=Reader(url, pool_size=settings.DB_POOL_SIZE),
        passwords=Passwords(),
        keys=keys,
        tokens=AccessTokens(
            keys,
            issuer=settings.PUBLIC_URL,
            audience=settings.PUBLIC_URL + settings.API_V1_STR,
            lifetime=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
        ),
    )
    try:
        await resources.reader.open()
        await _warm_up(resources)
        yield resources
    finally:
        resources.passwords.close()
        await resources.reader.close()
        # A server that hangs takes no farewell; the process need not wait for it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(engine.dispose(), FAREWELL_SECONDS)


async def _warm_up(resources: Resources) -> None:
    async def open_session() -> None:
        async with resources.engine.connect():
            pass

    try:
        await asyncio.gather(resources.reader.warm_up(), open_session())
    except (Unavailable, *DATABASE_ERRORS):
        _log.warning("the database does not answer; starting without it")
