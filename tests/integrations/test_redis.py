"""Redis as Zenith uses it: bounded in time and connections, and told of in probes."""

import asyncio
import subprocess
import sys

import pytest
from redis.asyncio import Redis as Client

from app.errors import Unavailable
from app.integrations.redis import CONNECTIONS, REDIS_ERRORS, Redis
from app.resources import Resources
from app.services.health import HealthService
from tests.valkey import PATIENCE_SECONDS, Valkey, free_port, running_valkey


class TestRedis:
    async def test_keeps_as_many_connections_as_it_may(self, valkey: Valkey) -> None:
        redis = Redis(valkey.url, seconds=PATIENCE_SECONDS)
        await redis.open()
        asked = await asyncio.gather(*(redis.answers() for _ in range(200)))
        assert all(asked)
        assert len(redis.pool._available_connections) == CONNECTIONS
        await redis.close()

    async def test_gives_up_in_time_and_loses_no_connection(self) -> None:
        with running_valkey() as valkey:
            redis = Redis(valkey.url)
            with valkey.hanging():
                asked = await asyncio.gather(*(redis.answers() for _ in range(100)))
                assert not any(asked)
            assert not redis.pool._in_use_connections
            patient = Redis(valkey.url, seconds=PATIENCE_SECONDS)
            assert await patient.answers()
            with valkey.hanging():
                await redis.close()
                await patient.close()

    async def test_comes_back_on_its_old_connections(self) -> None:
        with running_valkey() as valkey:
            redis = Redis(valkey.url, seconds=PATIENCE_SECONDS)
            await redis.open()
            valkey.kill()
            assert not await redis.answers()
            valkey.start()
            assert await redis.answers()
            await redis.close()

    async def test_never_tells_the_password(self, valkey: Valkey) -> None:
        redis = Redis(f"redis://zenith:hidden-value@127.0.0.1:{valkey.port}")
        with pytest.raises(REDIS_ERRORS) as caught:
            await Client(connection_pool=redis.pool).ping()
        assert "hidden-value" not in str(caught.value)
        assert "hidden-value" not in repr(redis.pool)
        assert not await redis.answers()
        await redis.close()


class TestReadiness:
    async def test_tells_of_redis(self, resources: Resources, valkey: Valkey) -> None:
        redis = Redis(valkey.url, seconds=PATIENCE_SECONDS)
        ready = await HealthService(resources.reader, redis).ready()
        assert ready.checks.redis == "up"
        await redis.close()

    async def test_does_not_need_it(self, resources: Resources) -> None:
        redis = Redis(f"redis://127.0.0.1:{free_port()}")
        ready = await HealthService(resources.reader, redis).ready()
        assert ready.checks.redis == "down"
        await redis.close()

    async def test_tells_of_it_while_the_database_is_away(
        self, resources: Resources, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async def away(_: str) -> None:
            raise TimeoutError

        monkeypatch.setattr(resources.reader, "scalar", away)
        with pytest.raises(Unavailable) as caught:
            await HealthService(resources.reader).ready()
        assert caught.value.extra["checks"]["redis"] == "off"


def test_without_a_url_the_package_is_not_imported() -> None:
    code = "import sys, app.resources; sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
