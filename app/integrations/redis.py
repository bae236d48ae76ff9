"""Redis, if there is one: a pool of connections whose commands never take long.

Importing this imports the package `redis`, an extra: do it where REDIS_URL is set.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from redis.asyncio import ConnectionPool
from redis.asyncio import Redis as Client
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CONNECTIONS = 20
COMMAND_SECONDS = 0.04  # of the 50 ms that a request may lose, timers being late

REDIS_ERRORS = (RedisError, OSError)
"""What a command may raise; a timeout is an `OSError`. Texts of these name the host."""


class Redis:
    """A bounded pool; who finds it empty waits, as long as a command may take."""

    def __init__(self, url: str, *, seconds: float = COMMAND_SECONDS) -> None:
        self._seconds = seconds
        # redis-py's own queue at the pool can lose a connection when somebody who
        # waits there is cancelled; behind these turns its pool is never empty.
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self.pool: ConnectionPool = ConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            socket_timeout=seconds,
            socket_connect_timeout=seconds,
            retry=Retry(NoBackoff(), 0),  # the library would try ten times
            protocol=2,  # RESP3 and the client's name cost round trips to connect
            driver_info=None,
        )
        self._client = Client(connection_pool=self.pool)

    async def open(self) -> None:
        """Open every connection, so that the first requests need not."""
        await asyncio.gather(*(self.answers() for _ in range(CONNECTIONS)))

    async def close(self) -> None:
        """Close every connection; one that hangs is dropped."""
        with contextlib.suppress(*REDIS_ERRORS):
            await self.pool.aclose()

    @contextlib.asynccontextmanager
    async def bounded(self) -> AsyncIterator[None]:
        """Bound a command as a whole: its turn, the connection and the answer."""
        async with asyncio.timeout(self._seconds), self._turns:
            yield

    async def answers(self) -> bool:
        """Ask whether somebody is there."""
        try:
            async with self.bounded():
                await self._client.ping()
        except REDIS_ERRORS:
            return False
        return True
