"""What lives as long as the process and is shared by all requests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from app.config import Settings, SettingsError
from app.db.engine import create_engine, sessions_of
from app.db.errors import NO_DATABASE
from app.db.reader import Reader
from app.integrations.http import HttpClients
from app.integrations.mail import Mailer, mailer_of
from app.integrations.storage import Storage, storage_of
from app.mail.composer import Composer
from app.pagination import Cursors
from app.pictures import Pictures
from app.schemas.profiles import known_time_zones
from app.security.api_keys import ApiKeys
from app.security.email_tokens import EmailTokens
from app.security.keys import SigningKeys
from app.security.limit_storage import SharedStorage
from app.security.limits import Limiter
from app.security.passwords import Passwords
from app.security.refresh_tokens import RefreshTokens
from app.security.secret_key import keys_of
from app.security.tokens import AccessTokens

if TYPE_CHECKING:
    from app.integrations.redis import Redis

FAREWELL_SECONDS = 1
PASSES_WALLS = (
    "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
)

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
    refresh_tokens: RefreshTokens
    api_keys: ApiKeys
    redis: "Redis | None"
    limiter: Limiter
    email_tokens: EmailTokens
    composer: Composer
    mailer: Mailer
    storage: Storage
    http: HttpClients
    pictures: Pictures

    @property
    def connections_in_use(self) -> int:
        """Connections of sessions that work for a request now."""
        pool = self.engine.sync_engine.pool
        assert isinstance(pool, QueuePool)
        return pool.checkedout()


@contextlib.asynccontextmanager
async def open_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Make everything that needs no server, then warm up what does.

    A database that is away does not stop the start: readiness tells, and the first
    request after its return connects. Neither does Redis.
    """
    resources = _make(settings)
    try:
        await resources.reader.open()
        await _warm_up(resources)
        await _open_redis(resources)
        await asyncio.to_thread(known_time_zones)  # which looks into hundreds of files
        yield resources
    finally:
        resources.passwords.close()
        await resources.reader.close()
        await resources.limiter.close()
        await resources.http.close()
        if resources.redis is not None:
            await resources.redis.close()
        # A server that hangs takes no farewell; the process need not wait for it.
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(resources.engine.dispose(), FAREWELL_SECONDS)


def _make(settings: Settings) -> Resources:
    if settings.DATABASE_URL is None:
        raise SettingsError("DATABASE_URL: needed here; `zenith up` brings a database")
    url = settings.DATABASE_URL.get_secret_value()
    keys = SigningKeys.of(settings)
    engine = create_engine(
        url, pool_size=settings.DB_POOL_SIZE, max_overflow=settings.DB_MAX_OVERFLOW
    )
    redis = _redis(settings)
    return Resources(
        settings=settings,
        engine=engine,
        sessions=sessions_of(engine),
        reader=Reader(
            url,
            pool_size=settings.DB_POOL_SIZE,
            cursors=Cursors(keys_of(settings, "cursor")),
        ),
        passwords=Passwords(),
        keys=keys,
        tokens=_access_tokens(settings, keys),
        refresh_tokens=RefreshTokens(keys_of(settings, "refresh-token")),
        api_keys=ApiKeys(keys_of(settings, "api-key")),
        redis=redis,
        limiter=_limiter(settings, redis),
        email_tokens=EmailTokens(keys_of(settings, "email-token")),
        composer=Composer(
            project_name=settings.PROJECT_NAME,
            public_url=settings.PUBLIC_URL,
            sender=settings.MAIL_FROM,
        ),
        mailer=mailer_of(settings),
        storage=storage_of(settings),
        http=HttpClients(),
        pictures=Pictures(),
    )


def _access_tokens(settings: Settings, keys: SigningKeys) -> AccessTokens:
    return AccessTokens(
        keys,
        issuer=settings.PUBLIC_URL,
        audience=settings.PUBLIC_URL + settings.API_V1_STR,
        lifetime=settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60,
    )


def _redis(settings: Settings) -> "Redis | None":
    if settings.REDIS_URL is None:
        return None
    from app.integrations.redis import Redis  # noqa: PLC0415 - an extra, slow to import

    return Redis(settings.REDIS_URL.get_secret_value())


def _limiter(settings: Settings, redis: "Redis | None") -> Limiter:
    is_enabled = settings.RATE_LIMIT_ENABLED
    return Limiter(
        key=keys_of(settings, "rate-limits")[0],
        shared=SharedStorage(redis) if redis and is_enabled else None,
        enabled=is_enabled,
    )


async def _open_redis(resources: Resources) -> None:
    if resources.redis is not None:
        await resources.redis.open()
    await resources.limiter.open()


async def _warm_up(resources: Resources) -> None:
    async def open_session() -> None:
        async with resources.engine.connect():
            pass

    try:
        await asyncio.gather(resources.reader.warm_up(), open_session())
        await _require_walls(resources)
    except NO_DATABASE:
        _log.warning("the database does not answer; starting without it")


async def _require_walls(resources: Resources) -> None:
    """Refuse a role, or warn of one, that row-level security does not hold."""
    if await resources.reader.scalar(PASSES_WALLS):
        message = (
            "DATABASE_URL: its role is a superuser or has BYPASSRLS, so that the"
            " database keeps no organization from another. Use a role with neither"
        )
        if resources.settings.in_production:
            raise SettingsError(message)
        _log.warning(message)
