"""How often somebody may do something: fixed windows that begin with the first hit."""

import contextlib
import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Literal

from limits.aio.storage import Storage

from app.errors import TooManyRequests
from app.security.limit_fallback import Fallback
from app.security.limit_storage import ProcessStorage

NETWORK_BITS = 64
SAME_SECONDS = 1.0  # two readings of when a window ends are the same moment within this


@dataclass(frozen=True, slots=True)
class Policy:
    """A quota of hits in a window of seconds, by a name that clients see."""

    name: str
    quota: int
    window: int


AUTH = Policy("auth", quota=30, window=60)
"""Calls of the authentication API, by address."""

LOGIN = Policy("login", quota=10, window=60)
"""Attempts at a password that fail, by account and address."""

INVITATIONS = Policy("invitations", quota=200, window=3600)
"""Mails that invite to any organization, by who sends them."""

MAILS = Policy("mails", quota=5, window=3600)
"""Mails with a link that somebody asks for, by kind and address."""

NOTICES = Policy("notices", quota=5, window=3600)
"""Mails that tell of a change, by kind and address: it may be somebody else's."""

EXPORTS = Policy("exports", quota=3, window=86_400)
"""Exports of personal data that are begun, by user."""

REQUESTS = Policy("requests", quota=600, window=60)
"""Requests of who is signed in, by principal."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands with a policy."""

    policy: Policy
    count: int
    """Hits in this window, with this one; 0 where nothing is counted."""
    seconds: int
    """Until the window ends, rounded up."""

    @property
    def remaining(self) -> int:
        return max(0, self.policy.quota - self.count)

    def headers(self) -> dict[str, str]:
        """Tell the client (draft-ietf-httpapi-ratelimit-headers, RFC 9651)."""
        if not self.count:
            return {}
        name, quota, window = self.policy.name, self.policy.quota, self.policy.window
        return {
            "RateLimit-Policy": f'"{name}";q={quota};w={window}',
            "RateLimit": f'"{name}";r={self.remaining};t={self.seconds}',
        }


class Limiter:
    """Counts hits and refuses those over a quota.

    ``key`` names the counters, so that whoever reads the storage learns neither
    addresses nor accounts; it is the same in all processes. Without ``shared``, each
    process counts for itself. One that is not ``enabled`` refuses nothing.
    """

    def __init__(
        self,
        *,
        key: bytes,
        process: Storage | None = None,
        shared: Storage | None = None,
        enabled: bool = True,
    ) -> None:
        self.enabled = enabled
        self._key = key
        own = ProcessStorage() if process is None else process
        self._counts = Fallback(own, shared)

    @property
    def state(self) -> Literal["up", "down", "off"]:
        """Whether all processes count together now; ``off`` if they never do."""
        return self._counts.state

    async def open(self) -> None:
        """Find out whether the shared storage answers; it need not."""
        await self._counts.open()

    async def close(self) -> None:
        await self._counts.close()

    async def hit(self, policy: Policy, *who: str) -> Standing:
        """Count a hit; raise `TooManyRequests` if it is over the quota."""
        if not self.enabled:
            return Standing(policy, 0, 0)
        standing = (await self._take(policy, who)).standing
        if standing.count > policy.quota:
            raise _refusal(standing)
        return standing

    @contextlib.asynccontextmanager
    async def failures(
        self, policy: Policy, *who: str, failure: type[Exception]
    ) -> AsyncIterator[None]:
        """Count failures only; raise `TooManyRequests` if there were too many.

        A place is taken before anything is done, and given back unless ``failure`` is
        raised: of any number of attempts at once, no more than the quota are made.
        """
        if not self.enabled:
            yield
            return
        place = await self._take(policy, who)
        if place.standing.count > policy.quota:
            await self._give_back(place)
            raise _refusal(place.standing)
        failed = False
        try:
            yield
        except failure:
            failed = True
            raise
        finally:
            if not failed:
                await self._give_back(place)

    async def _take(self, policy: Policy, who: tuple[str, ...]) -> "_Place":
        name = blake2b(repr(who).encode(), digest_size=16, key=self._key).hexdigest()
        key = f"{policy.name}:{name}"
        storage, count = await self._counts.add(key, seconds=policy.window)
        ends = await storage.get_expiry(key)
        left = math.ceil(round(ends - time.time(), 3))
        seconds = min(max(0, left), policy.window)
        return _Place(storage, key, ends, Standing(policy, count, seconds))

    async def _give_back(self, place: "_Place") -> None:
        if abs(await place.storage.get_expiry(place.key) - place.ends) < SAME_SECONDS:
            seconds = place.standing.policy.window
            await self._counts.take_back(place.storage, place.key, seconds=seconds)


@dataclass(frozen=True, slots=True)
class _Place:
    """One hit, and where it was counted."""

    storage: Storage
    key: str
    ends: float
    """When its window ends: it is not given back to a later one."""
    standing: Standing


def _refusal(standing: Standing) -> TooManyRequests:
    seconds = max(1, standing.seconds)
    return TooManyRequests(
        f"Too many requests of this kind; go on in {seconds} seconds.",
        headers={"Retry-After": str(seconds), **standing.headers()},
    )


@lru_cache(maxsize=16_384)
def client_key(address: str | None) -> str:
    """Name a client: an IPv4 address, or the /64 that one IPv6 client has to itself.

    What is no address is this machine, on the other side of a Unix socket.
    """
    try:
        found = ip_address(address or "")
    except ValueError:
        return "local"
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), NETWORK_BITS), strict=False))
