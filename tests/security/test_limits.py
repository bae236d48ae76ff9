"""Who is refused, when, and what is told; in the process and on Valkey alike."""

import asyncio
import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from types import SimpleNamespace

import pytest
from redis.asyncio import Redis as Client

from app.errors import TooManyRequests
from app.integrations.redis import Redis
from app.security import limit_storage
from app.security.limit_storage import PREFIX, ProcessStorage, SharedStorage
from app.security.limits import (
    AUTH,
    LOGIN,
    REQUESTS,
    Limiter,
    Policy,
    Standing,
    client_key,
)
from tests.security.test_limit_storage import Clock
from tests.valkey import PATIENCE_SECONDS, Valkey

TEN = Policy("ten", quota=10, window=60)


class WrongError(Exception):
    """What a test counts as a failure."""


class VeryWrongError(WrongError):
    """A kind of it."""


@pytest.fixture
async def redis(valkey: Valkey) -> AsyncIterator[Redis]:
    redis = Redis(valkey.url, seconds=PATIENCE_SECONDS)
    yield redis
    await redis.close()


@pytest.fixture(params=["process", "valkey"])
def limiter(request: pytest.FixtureRequest) -> Limiter:
    """A limiter of either kind, whose counters nobody else has."""
    if request.param == "process":
        return Limiter(key=os.urandom(32))
    shared = SharedStorage(request.getfixturevalue("redis"))
    return Limiter(key=os.urandom(32), shared=shared)


async def passes(limiter: Limiter, *who: str, policy: Policy = TEN) -> bool:
    try:
        await limiter.hit(policy, *who)
    except TooManyRequests:
        return False
    return True


class TestHit:
    async def test_passes_up_to_the_quota_and_tells_what_is_left(
        self, limiter: Limiter
    ) -> None:
        standings = [await limiter.hit(TEN, "somebody") for _ in range(10)]
        assert [standing.remaining for standing in standings] == [*range(9, -1, -1)]
        assert 0 < standings[-1].seconds <= 60
        assert not await passes(limiter, "somebody")
        assert await passes(limiter, "somebody else")

    async def test_is_exact_when_a_hundred_come_at_once(self, limiter: Limiter) -> None:
        results = await asyncio.gather(*(passes(limiter, "a") for _ in range(100)))
        assert sum(results) == 10

    async def test_is_refused_with_all_that_a_client_needs(
        self, limiter: Limiter
    ) -> None:
        for _ in range(10):
            await limiter.hit(TEN, "somebody")
        with pytest.raises(TooManyRequests) as caught:
            await limiter.hit(TEN, "somebody")
        headers = caught.value.headers
        assert caught.value.status == HTTPStatus.TOO_MANY_REQUESTS
        assert 1 <= int(headers["Retry-After"]) <= 60
        assert headers["RateLimit-Policy"] == '"ten";q=10;w=60'
        assert headers["RateLimit"] == f'"ten";r=0;t={headers["Retry-After"]}'

    async def test_counts_each_policy_by_itself(self, limiter: Limiter) -> None:
        for policy in (AUTH, LOGIN, REQUESTS):
            assert (await limiter.hit(policy, "a")).count == 1

    async def test_does_not_confuse_whose_names_are_alike(
        self, limiter: Limiter
    ) -> None:
        for who in (("ab", "c"), ("a", "bc"), ("abc",), ("a\0bc",), ("\udc80",)):
            assert (await limiter.hit(TEN, *who)).count == 1


class TestFailures:
    async def attempt(self, limiter: Limiter, error: Exception | None) -> str:
        """Try once; say what came of it."""
        try:
            async with limiter.failures(TEN, "a@b.example", failure=WrongError):
                await asyncio.sleep(0)
                if error is not None:
                    raise error
        except TooManyRequests:
            return "refused"
        except (WrongError, ValueError):
            return "failed"
        return "passed"

    async def test_count_and_nothing_else_does(self, limiter: Limiter) -> None:
        for _ in range(12):
            assert await self.attempt(limiter, None) == "passed"
            assert await self.attempt(limiter, ValueError()) == "failed"
        for wrong in (WrongError(), VeryWrongError()) * 5:
            assert await self.attempt(limiter, wrong) == "failed"
        assert await self.attempt(limiter, None) == "refused"

    async def test_never_exceed_the_quota_however_many_try_at_once(
        self, limiter: Limiter
    ) -> None:
        for expected in ({"failed": 10, "refused": 40}, {"refused": 50}):
            attempts = [self.attempt(limiter, WrongError()) for _ in range(50)]
            assert Counter(await asyncio.gather(*attempts)) == expected

    async def test_leave_their_places_when_the_others_have_gone(
        self, limiter: Limiter
    ) -> None:
        errors = [WrongError() if n % 2 else None for n in range(50)]
        results = Counter(
            await asyncio.gather(*(self.attempt(limiter, e) for e in errors))
        )
        assert results["passed"] > 0
        # What was refused or has passed left no trace: exactly the rest is free.
        for _ in range(10 - results["failed"]):
            assert await self.attempt(limiter, WrongError()) == "failed"
        assert await self.attempt(limiter, None) == "refused"

    async def test_are_not_counted_of_who_is_cancelled(self, limiter: Limiter) -> None:
        for _ in range(12):
            with pytest.raises(asyncio.CancelledError):
                await self.attempt(limiter, asyncio.CancelledError())  # type: ignore[arg-type]  # not an Exception
        assert await self.attempt(limiter, None) == "passed"

    async def test_give_nothing_back_to_a_later_window(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        clock = Clock()
        monkeypatch.setattr("app.security.limits.time", SimpleNamespace(time=clock))
        same = SimpleNamespace(time=clock)
        monkeypatch.setattr("app.security.limit_storage.time", same)
        limiter = Limiter(key=b"k", process=ProcessStorage(clock=clock))
        async with limiter.failures(TEN, "a@b.example", failure=WrongError):
            clock.now += 61
            for _ in range(10):
                assert await self.attempt(limiter, WrongError()) == "failed"
        assert await self.attempt(limiter, None) == "refused"


class TestWindow:
    async def test_ends_and_everything_is_allowed_again(self) -> None:
        clock = Clock()
        limiter = Limiter(key=b"k", process=ProcessStorage(clock=clock))
        for _ in range(30):
            await limiter.hit(AUTH, "a")
        clock.now += 47.5
        with pytest.raises(TooManyRequests) as caught:
            await limiter.hit(AUTH, "a")
        assert caught.value.headers["Retry-After"] == "13"
        clock.now += 12.4
        with pytest.raises(TooManyRequests) as caught:
            await limiter.hit(AUTH, "a")
        assert caught.value.headers["Retry-After"] == "1"
        clock.now += 0.1
        assert (await limiter.hit(AUTH, "a")).headers() == {
            "RateLimit-Policy": '"auth";q=30;w=60',
            "RateLimit": '"auth";r=29;t=60',
        }


class TestSharing:
    async def test_two_processes_have_one_count_and_one_window(
        self, valkey: Valkey
    ) -> None:
        key = os.urandom(32)
        redises = [Redis(valkey.url, seconds=PATIENCE_SECONDS) for _ in range(2)]
        one, other = (Limiter(key=key, shared=SharedStorage(r)) for r in redises)
        hits = [passes(limiter, "a") for limiter in (one, other) for _ in range(50)]
        assert sum(await asyncio.gather(*hits)) == 10
        assert (await one.hit(TEN, "b")).remaining == 9
        standing = await other.hit(TEN, "b")
        assert standing.remaining == 8
        assert 0 < standing.seconds <= 60
        assert (one.state, other.state) == ("up", "up")
        for redis in redises:
            await redis.close()

    async def test_a_hit_is_one_round_trip_once_the_window_is_known(
        self, redis: Redis
    ) -> None:
        limiter = Limiter(key=os.urandom(32), shared=SharedStorage(redis))
        client = Client(connection_pool=redis.pool)
        await limiter.hit(TEN, "a")
        before = (await client.info("stats"))["total_commands_processed"]
        for _ in range(5):
            await limiter.hit(TEN, "a")
        after = (await client.info("stats"))["total_commands_processed"]
        # Each script is an EVALSHA and the INCRBY in it; the first INFO counts as well.
        assert after - before == 5 * 2 + 1

    async def test_nothing_in_redis_tells_who_somebody_is(self, redis: Redis) -> None:
        limiter = Limiter(key=os.urandom(32), shared=SharedStorage(redis))
        await limiter.hit(LOGIN, "ada@example.com", "192.0.2.7")
        keys = await Client(connection_pool=redis.pool).keys("*login*")
        assert keys
        for key in keys:
            assert isinstance(key, bytes)
            assert re.fullmatch(f"{PREFIX}:login:[0-9a-f]{{32}}", key.decode())

    async def test_a_process_remembers_few_windows(
        self, redis: Redis, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limit_storage, "MAX_KEYS", 3)
        storage = SharedStorage(redis)
        run = os.urandom(8).hex()
        for number in range(5):
            await storage.incr(f"{run} {number}", 60)
        assert list(storage._ends) == [f"{run} {number}" for number in (2, 3, 4)]
        assert await storage.incr(f"{run} 0", 60, amount=-1) == 0
        assert await storage.incr(f"{run} 0", 60) == 2

    async def test_a_server_that_forgets_does_no_harm(self, redis: Redis) -> None:
        limiter = Limiter(key=os.urandom(32), shared=SharedStorage(redis))
        client = Client(connection_pool=redis.pool)
        assert (await limiter.hit(TEN, "a")).count == 1
        await client.script_flush()
        assert (await limiter.hit(TEN, "a")).count == 2
        await client.flushall()
        assert (await limiter.hit(TEN, "a")).count == 1
        async with limiter.failures(TEN, "b", failure=WrongError):
            await client.flushall()
        assert limiter.state == "up"


class TestSwitchedOff:
    async def test_refuses_nobody_and_tells_nothing(self) -> None:
        limiter = Limiter(key=b"k", enabled=False)
        one = Policy("one", quota=1, window=60)
        for _ in range(5):
            standing = await limiter.hit(one, "a")
            assert standing.headers() == {}
            with pytest.raises(WrongError):
                async with limiter.failures(one, "a", failure=WrongError):
                    raise WrongError
        assert (limiter.enabled, limiter.state) == (False, "off")


class TestClientKey:
    @pytest.mark.parametrize(
        ("address", "key"),
        [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
            ("2001:db8:1:3::6", "2001:db8:1:3::/64"),
            ("fe80::1%eth0", "fe80::/64"),
            ("::1", "::/64"),
            ("", "local"),
            (None, "local"),
            ("unix:", "local"),
        ],
    )
    def test_is_an_address_or_the_network_of_one(
        self, address: str | None, key: str
    ) -> None:
        assert client_key(address) == key


@pytest.mark.parametrize(
    ("policy", "quota"), [(AUTH, 30), (LOGIN, 10), (REQUESTS, 600)]
)
def test_the_policies_are_what_the_documents_say(policy: Policy, quota: int) -> None:
    assert (policy.quota, policy.window) == (quota, 60)
    assert Standing(policy, quota + 5, 0).remaining == 0
