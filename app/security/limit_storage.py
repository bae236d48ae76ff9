"""Where hits are counted: in this process, or in Redis for all of them."""

import heapq
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from limits.aio.storage import RedisStorage, Storage
from typing_extensions import override

if TYPE_CHECKING:
    from app.integrations.redis import Redis

MAX_KEYS = 100_000
STEPS = 16  # through windows that have begun anew, to find one that has not
PREFIX = "zenith:limits"


@dataclass(slots=True)
class _Window:
    count: int
    ends: float


class ProcessStorage(Storage):
    """Counts in memory, in amortised constant time whatever the number of keys.

    The library's own looks at every key on every hit. Here windows stand in a heap by
    their ends, each exactly once; a new one makes room by dropping two that have ended.
    When full, it drops those that end soonest. Nothing is awaited, so counts are exact.
    """

    STORAGE_SCHEME: list[str] | None = None

    def __init__(
        self, *, max_keys: int = MAX_KEYS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._max_keys = max_keys
        self._clock = clock
        self._windows: dict[str, _Window] = {}
        self._ends: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._windows)

    @property
    @override
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return ()

    @override
    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a key; a window begins with its first hit.

        What is given back after its window ended is not counted in the next one.
        """
        now = self._clock()
        window = self._windows.get(key)
        ended = window is None or window.ends <= now
        if ended and amount < 0:
            return 0
        if window is None:
            window = self._begin(key, now + expiry, now)
        window.count = amount if ended else window.count + amount
        if window.count == amount:
            window.ends = now + expiry
        return window.count

    @override
    async def get(self, key: str) -> int:
        window = self._windows.get(key)
        return window.count if window and window.ends > self._clock() else 0

    @override
    async def get_expiry(self, key: str) -> float:
        """Return when the window of a key ends, in seconds since the epoch."""
        window = self._windows.get(key)
        return time.time() + (window.ends - self._clock() if window else 0)

    @override
    async def check(self) -> bool:
        return True

    @override
    async def reset(self) -> int | None:
        count = len(self._windows)
        self._windows.clear()
        self._ends.clear()
        return count

    @override
    async def clear(self, key: str) -> None:
        if window := self._windows.get(key):
            window.count = 0

    def _begin(self, key: str, ends: float, now: float) -> _Window:
        self._drop_ended(now, at_most=2)
        if len(self._windows) >= self._max_keys:
            self._make_room()
        window = self._windows[key] = _Window(0, ends)
        heapq.heappush(self._ends, (ends, key))
        return window

    def _drop_ended(self, now: float, *, at_most: int) -> None:
        """Drop few at a time: after a quiet hour, no hit pays for all of them."""
        for _ in range(at_most):
            if not self._ends or self._ends[0][0] > now:
                return
            self._drop_first()

    def _make_room(self) -> None:
        """Drop a window that ends soon; not the very first, if that takes long."""
        for _ in range(STEPS):
            if len(self._windows) < self._max_keys:
                return
            self._drop_first()
        _, key = heapq.heappop(self._ends)
        del self._windows[key]

    def _drop_first(self) -> None:
        """Drop the window that ends first, or put one right that has begun anew."""
        ends, key = self._ends[0]
        window = self._windows[key]
        if window.ends > ends:
            heapq.heapreplace(self._ends, (window.ends, key))
        else:
            heapq.heappop(self._ends)
            del self._windows[key]


class SharedStorage(RedisStorage):
    """Counts in Redis, by the library's script; one round trip a hit.

    When windows end is remembered here, so that only a window that another process
    began is asked for. Whatever goes wrong is a `limits.errors.StorageError`.
    """

    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}

    def __init__(self, redis: "Redis") -> None:
        # The URL stands for nothing: connections come from the pool.
        super().__init__(
            "redis://",
            wrap_exceptions=True,
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=redis.pool,  # type: ignore[arg-type]  # documented, and typed as text
        )
        self._redis = redis
        self._ends: OrderedDict[str, float] = OrderedDict()

    @property
    @override
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return (self.bridge.dependency.RedisError, OSError)  # a timeout is the latter

    @override
    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a key as `ProcessStorage` does."""
        now = time.time()
        if amount < 0 and self._ends.get(key, 0) <= now:
            return 0
        async with self._redis.bounded():
            count = await super().incr(key, expiry, amount)
            if count == amount:
                self._remember(key, now + expiry)
            elif self._ends.get(key, 0) <= now:
                self._remember(key, await super().get_expiry(key))
        return count

    @override
    async def get_expiry(self, key: str) -> float:
        """Return when the window of a key that was just hit ends."""
        return self._ends.get(key, time.time())

    def _remember(self, key: str, ends: float) -> None:
        self._ends[key] = ends
        self._ends.move_to_end(key)
        if len(self._ends) > MAX_KEYS:
            self._ends.popitem(last=False)
