"""Two processes that share a Redis count together, and go on when it is gone."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from httpx2 import AsyncClient

from app.security.limits import AUTH
from tests.databases import Databases
from tests.fuzz import serving
from tests.processes import PATIENCE_SECONDS
from tests.routers.test_auth import TOKEN
from tests.valkey import Valkey, running_valkey

SECRET = "one secret of both, of 32 bytes and more"

# On a machine with much to do, an answer may take longer than a request waits for it;
# then a process counts for itself, and this would be no test of counting together.
PATIENCE = """
from app.integrations.redis import Redis
Redis.__init__.__kwdefaults__["seconds"] = 10
"""


@contextlib.asynccontextmanager
async def two_processes(
    databases: Databases, folder: Path, valkey: Valkey
) -> AsyncIterator[list[AsyncClient]]:
    settings = {
        "RATE_LIMIT_ENABLED": "true",
        "REDIS_URL": valkey.url,
        "SECRET_KEY": SECRET,
    }
    async with databases.fresh() as database, contextlib.AsyncExitStack() as stack:
        servers = [
            stack.enter_context(serving(database, folder, prelude=PATIENCE, **settings))
            for _ in range(2)
        ]
        yield [
            await stack.enter_async_context(AsyncClient(base_url=server.url()))
            for server in servers
        ]


async def call(clients: Sequence[AsyncClient], *, times: int) -> Counter[int]:
    """Ask the processes in turn, all at once; return the statuses."""
    turns = (clients[number % len(clients)] for number in range(times))
    answers = await asyncio.gather(*(client.post(TOKEN) for client in turns))
    return Counter(answer.status_code for answer in answers)


async def redis_of(client: AsyncClient) -> str:
    answer = await client.get("/health/ready")
    assert answer.status_code == 200, answer.text
    state: str = answer.json()["checks"]["redis"]
    return state


async def until_up(client: AsyncClient) -> None:
    while await redis_of(client) != "up":  # noqa: ASYNC110 - of another process
        await asyncio.sleep(0.05)


@pytest.mark.may_block
async def test_the_limit_is_one_for_both_and_nobody_is_refused_without_redis(
    databases: Databases, tmp_path: Path
) -> None:
    with running_valkey() as valkey:
        async with two_processes(databases, tmp_path, valkey) as clients:
            statuses = await call(clients, times=2 * AUTH.quota)
            assert statuses == {400: AUTH.quota, 429: AUTH.quota}
            assert [await redis_of(client) for client in clients] == ["up", "up"]
            valkey.kill()
            # Each counts for itself now, and exactly.
            for client in clients:
                statuses = await call([client], times=AUTH.quota + 10)
                assert statuses == {400: AUTH.quota, 429: 10}
            assert [await redis_of(client) for client in clients] == ["down", "down"]
            valkey.start()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await asyncio.gather(*(until_up(client) for client in clients))
