"""Redis goes, hangs and comes back; requests notice nothing of it."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr
from typing_extensions import override

from app.config import Settings
from app.errors import TooManyRequests
from app.integrations.redis import COMMAND_SECONDS, Redis
from app.resources import open_resources
from app.security import limit_fallback
from app.security.limit_storage import SharedStorage
from app.security.limits import Limiter, Policy
from tests.telemetry.captured import captured_logs, events
from tests.valkey import PATIENCE_SECONDS, Valkey, free_port, running_valkey

TEN = Policy("ten", quota=10, window=60)


class WrongError(Exception):
    """What a test counts as a failure."""


class Watched(SharedStorage):
    """Counts how often it is asked for more than whether it is there."""

    asked = 0

    @override
    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        self.asked += key != "probe"
        return await super().incr(key, expiry, amount)


@pytest.fixture
def own_valkey() -> Iterator[Valkey]:
    """A server that a test may stop."""
    with running_valkey() as valkey:
        yield valkey


@pytest.fixture(autouse=True)
def frequent_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limit_fallback, "PROBE_SECONDS", 0.01)


@asynccontextmanager
async def limiting(
    url: str, *, seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[tuple[Limiter, Watched]]:
    """Limit by a server, which a slow machine of tests is given time to ask."""
    redis = Redis(url, seconds=seconds)
    storage = Watched(redis)
    limiter = Limiter(key=os.urandom(32), shared=storage)
    await limiter.open()
    try:
        yield limiter, storage
    finally:
        await limiter.close()
        await redis.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - nobody tells when it does
            await asyncio.sleep(0.01)


async def is_back(limiter: Limiter) -> None:
    await until(lambda: limiter.state == "up")


class TestLoss:
    async def test_of_a_killed_server_costs_one_question_and_no_error(
        self, own_valkey: Valkey
    ) -> None:
        async with limiting(own_valkey.url) as (limiter, storage):
            await is_back(limiter)
            own_valkey.kill()
            asked = storage.asked
            counts = [(await limiter.hit(TEN, "a")).count for _ in range(3)]
            assert counts == [1, 2, 3]
            assert storage.asked == asked + 1
            assert limiter.state == "down"
            own_valkey.start()
            await is_back(limiter)
            assert (await limiter.hit(TEN, "a")).count == 1

    async def test_of_a_hanging_server_costs_one_wait(self, own_valkey: Valkey) -> None:
        short = COMMAND_SECONDS
        async with limiting(own_valkey.url, seconds=short) as (limiter, storage):
            await is_back(limiter)
            asked = storage.asked
            with own_valkey.hanging():
                hits = [limiter.hit(TEN, "a") for _ in range(10)]
                standings = await asyncio.gather(*hits)
                assert sorted(s.count for s in standings) == [*range(1, 11)]
                assert storage.asked == asked + 10  # at once: none could know
                with pytest.raises(TooManyRequests):
                    await limiter.hit(TEN, "a")
                async with limiter.failures(TEN, "b", failure=WrongError):
                    pass
                assert storage.asked == asked + 10
                assert limiter.state == "down"
            await is_back(limiter)
            await limiter.hit(TEN, "c")
            assert storage.asked == asked + 11

    async def test_between_taking_a_place_and_giving_it_back_is_no_error(
        self, own_valkey: Valkey
    ) -> None:
        async with limiting(own_valkey.url) as (limiter, storage):
            await is_back(limiter)
            async with limiter.failures(TEN, "a", failure=WrongError):
                own_valkey.kill()
            assert limiter.state == "down"
            asked = storage.asked
            own_valkey.start()
            await is_back(limiter)
            async with limiter.failures(TEN, "a", failure=WrongError):
                own_valkey.kill()
                await limiter.hit(TEN, "b")
            # Known to be lost: it is not asked for the place.
            assert storage.asked == asked + 2

    async def test_is_told_once_and_so_is_the_return(self, own_valkey: Valkey) -> None:
        with captured_logs("json") as output:
            async with limiting(own_valkey.url) as (limiter, _):
                await is_back(limiter)
                own_valkey.kill()
                for _ in range(3):
                    await limiter.hit(TEN, "a")
                await until(lambda: "does not answer" in output.getvalue())
                own_valkey.start()
                await is_back(limiter)
        assert [(e["level"], e["event"]) for e in events(output)] == [
            ("warning", "redis does not answer; each process counts for itself"),
            ("info", "redis answers again; all processes count together"),
        ]
        assert "127.0.0.1" not in output.getvalue()


class TestStart:
    async def test_needs_no_server(self) -> None:
        async with limiting(f"redis://127.0.0.1:{free_port()}") as (limiter, _):
            assert limiter.state == "down"
            assert (await limiter.hit(TEN, "a")).count == 1

    async def test_with_a_wrong_password_is_a_start_without_redis(
        self, valkey: Valkey
    ) -> None:
        with captured_logs("json") as output:
            url = f"redis://zenith:hidden-value@127.0.0.1:{valkey.port}"
            async with limiting(url) as (limiter, _):
                assert limiter.state == "down"
                assert (await limiter.hit(TEN, "a")).count == 1
                await until(lambda: "does not answer" in output.getvalue())
        assert "hidden-value" not in output.getvalue()

    async def test_of_the_application_goes_on_without_it(
        self, settings: Settings
    ) -> None:
        url = SecretStr(f"redis://:hidden-value@127.0.0.1:{free_port()}")
        update = {"REDIS_URL": url, "RATE_LIMIT_ENABLED": True, "DB_POOL_SIZE": 1}
        with captured_logs("json") as output:
            async with open_resources(settings.model_copy(update=update)) as resources:
                assert resources.limiter.state == "down"
                assert (await resources.limiter.hit(TEN, "a")).count == 1
                await until(lambda: "redis does not answer" in output.getvalue())
        assert "hidden-value" not in output.getvalue()

    async def test_of_the_application_counts_in_redis_if_it_is_there(
        self, settings: Settings, valkey: Valkey
    ) -> None:
        url = SecretStr(valkey.url)
        update = {"REDIS_URL": url, "RATE_LIMIT_ENABLED": True, "DB_POOL_SIZE": 1}
        async with open_resources(settings.model_copy(update=update)) as resources:
            await is_back(resources.limiter)
        update["RATE_LIMIT_ENABLED"] = False
        async with open_resources(settings.model_copy(update=update)) as resources:
            assert resources.limiter.state == "off"
            assert resources.redis is not None
