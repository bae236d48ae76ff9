"""The lane of the unit of work: SQLAlchemy's async engine and its sessions."""

from collections.abc import Awaitable
from typing import Any

from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from app.db.connections import POOL_SECONDS, connect


def create_engine(url: str, *, pool_size: int, max_overflow: int) -> AsyncEngine:
    """Make the engine; it opens its first connection when it is first used.

    There is no pre-ping, which would cost each transaction a round trip: a request
    whose first statement meets a dead connection is run once more by the edge.
    """

    def new_connection(*_: Any, **__: Any) -> Awaitable[Any]:
        return connect(url)

    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=new_connection,
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_timeout=POOL_SECONDS,
        hide_parameters=True,
    )


def sessions_of(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    """Make sessions whose rows stay readable after the commit, for the response."""
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
