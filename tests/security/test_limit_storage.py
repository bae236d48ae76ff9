"""Counting in the process: windows end, memory is bounded, nothing is scanned."""

import heapq
import time
from typing import Any

import pytest

from app.security.limit_storage import ProcessStorage


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def storage(clock: Clock) -> ProcessStorage:
    return ProcessStorage(clock=clock)


class TestWindows:
    async def test_begin_with_the_first_hit_and_end_on_time(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        assert [await storage.incr("a", 60) for _ in range(3)] == [1, 2, 3]
        clock.now += 59.9
        assert await storage.incr("a", 60) == 4
        clock.now += 0.1
        assert await storage.get("a") == 0
        assert await storage.incr("a", 60) == 1
        clock.now += 59.9
        assert await storage.get("a") == 1

    async def test_do_not_know_each_other(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        await storage.incr("short", 1)
        await storage.incr("long", 60)
        clock.now += 1
        assert (await storage.get("short"), await storage.get("long")) == (0, 1)

    async def test_tell_when_they_end(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        await storage.incr("a", 60)
        clock.now += 20
        await storage.incr("a", 60)
        left = await storage.get_expiry("a") - time.time()
        assert left == pytest.approx(40, abs=1)
        assert await storage.get_expiry("b") <= time.time()


class TestGivingBack:
    async def test_makes_room_in_the_same_window(self, storage: ProcessStorage) -> None:
        await storage.incr("a", 60)
        await storage.incr("a", 60)
        assert await storage.incr("a", 60, amount=-1) == 1

    async def test_counts_for_nothing_once_the_window_ended(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        await storage.incr("a", 60)
        clock.now += 60
        assert await storage.incr("a", 60, amount=-1) == 0
        assert await storage.incr("never", 60, amount=-1) == 0
        assert await storage.incr("a", 60) == 1

    async def test_of_all_lets_the_next_hit_begin_anew(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        await storage.incr("a", 60)
        await storage.incr("a", 60, amount=-1)
        clock.now += 30
        await storage.incr("a", 60)
        clock.now += 59
        assert await storage.get("a") == 1


class TestMemory:
    async def test_is_given_back_little_by_little(
        self, storage: ProcessStorage, clock: Clock
    ) -> None:
        for number in range(100):
            await storage.incr(f"old {number}", 60)
        clock.now += 60
        sizes = []
        for number in range(120):
            await storage.incr(f"new {number}", 60)
            sizes.append(len(storage))
        assert sizes[:3] == [99, 98, 97]
        assert len(storage) == 120
        assert [await storage.get(f"new {number}") for number in range(120)] == (
            [1] * 120
        )

    async def test_is_bounded_and_the_oldest_windows_go(self, clock: Clock) -> None:
        storage = ProcessStorage(max_keys=10, clock=clock)
        for number in range(25):
            clock.now += 1
            await storage.incr(str(number), 60)
        kept = [number for number in range(25) if await storage.get(str(number))]
        assert kept == list(range(15, 25))
        assert len(storage) == len(storage._ends) == 10

    async def test_is_made_in_few_steps_though_all_windows_began_anew(
        self, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage = ProcessStorage(max_keys=1000, clock=clock)
        for _ in range(2):
            for number in range(1000):
                await storage.incr(str(number), 60)
            clock.now += 61
        clock.now -= 2  # all of them count still
        replaced: list[str] = []
        replace = heapq.heapreplace

        def note(heap: list[Any], item: Any) -> Any:
            replaced.append(item)
            return replace(heap, item)

        monkeypatch.setattr(heapq, "heapreplace", note)
        assert await storage.incr("new", 60) == 1
        assert len(storage) == 1000
        assert len(replaced) <= 20

    async def test_does_not_grow_with_windows_that_begin_anew(
        self, clock: Clock
    ) -> None:
        storage = ProcessStorage(max_keys=10, clock=clock)
        for number in range(100):
            clock.now += 13
            await storage.incr("often", 60)
            await storage.incr("often", 60, amount=-1)
            await storage.incr(str(number % 12), 60)
            assert len(storage) == len(storage._ends) <= 10

    async def test_keeps_a_window_that_began_anew_past_its_first_end(
        self, clock: Clock
    ) -> None:
        storage = ProcessStorage(max_keys=2, clock=clock)
        await storage.incr("a", 60)
        await storage.incr("a", 60, amount=-1)
        clock.now += 30
        await storage.incr("b", 60)
        clock.now += 1
        await storage.incr("a", 60)  # now ends after b
        await storage.incr("c", 60)
        assert [await storage.get(key) for key in "abc"] == [1, 0, 1]


async def test_a_key_or_all_of_them_can_be_forgotten(storage: ProcessStorage) -> None:
    assert await storage.check()
    for key in "abc":
        await storage.incr(key, 60)
    await storage.clear("a")
    await storage.clear("unknown")
    assert [await storage.get(key) for key in "ab"] == [0, 1]
    assert await storage.reset() == 3
    assert len(storage) == 0
