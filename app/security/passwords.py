"""Password hashing, off the event loop (argon2id, RFC 9106)."""

import asyncio
import os
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar, TypeVarTuple

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import Unavailable

MAX_WAITING = 500  # some ten seconds of one thread's work

R = TypeVar("R")
Ts = TypeVarTuple("Ts")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password is right, and whether its hash has outdated parameters."""

    is_right: bool
    is_outdated: bool


class Passwords:
    """Hashes in threads of its own, fewer than there are cores.

    So a storm of logins waits in this queue while all other requests go on. The cost
    is OWASP's: 19 MiB of memory, two passes, one lane.
    """

    def __init__(self, *, threads: int | None = None) -> None:
        count = threads or max(1, (os.cpu_count() or 1) - 1)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="passwords")
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._waiting = 0
        # Compared where there is no user, so that the answer takes as long.
        nobodys = secrets.token_urlsafe()
        self._nobodys_hash = self._threads.submit(self._hasher.hash, nobodys)

    async def hash(self, password: str) -> str:
        return await self._in_turn(self._hasher.hash, password)

    async def verify(self, password: str, hashed: str | None) -> Verdict:
        """Compare a password with a hash; None, for nobody's, costs the same."""
        return await self._in_turn(self._verify, password, hashed)

    def close(self) -> None:
        """Drop what waits; a hash that is being computed ends in its thread."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_turn(self, work: Callable[[*Ts], R], *arguments: *Ts) -> R:
        """Wait for a thread; raise `Unavailable` where that would take too long."""
        if self._waiting >= MAX_WAITING:
            raise Unavailable("Too many people sign in now.")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *arguments)
        finally:
            self._waiting -= 1

    def _verify(self, password: str, hashed: str | None) -> Verdict:
        known = hashed or self._nobodys_hash.result()  # computed before, in this pool
        try:
            self._hasher.verify(known, password)
        except (VerificationError, InvalidHashError):
            return Verdict(is_right=False, is_outdated=False)
        outdated = self._hasher.check_needs_rehash(known)
        return Verdict(is_right=hashed is not None, is_outdated=outdated)
