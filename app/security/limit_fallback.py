"""What counts where Redis may be away: together while it answers, else each alone."""

import asyncio
import contextlib
from contextvars import Context
from typing import Literal

import structlog
from limits.aio.storage import Storage
from limits.errors import StorageError

PROBE_SECONDS = 1

_log = structlog.get_logger()


class Fallback:
    """The shared storage if there is one and it answers, else this process's own.

    The first failure switches over for all who come after it, so that no request waits
    twice. A task then asks until the shared one answers again.
    """

    def __init__(self, process: Storage, shared: Storage | None) -> None:
        self._process = process
        self._shared = shared
        self._current = process if shared is None else shared
        self._probing: asyncio.Task[None] | None = None

    @property
    def state(self) -> Literal["up", "down", "off"]:
        """Whether all count together now; ``off`` if they never do."""
        if self._shared is None:
            return "off"
        return "up" if self._current is self._shared else "down"

    async def open(self) -> None:
        """Find out whether the shared storage answers; it need not."""
        if self._shared is not None and not await _answers(self._shared):
            self._switch_over(self._shared)

    async def close(self) -> None:
        if self._probing is not None:
            self._probing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._probing

    async def add(self, key: str, *, seconds: int) -> tuple[Storage, int]:
        """Count one; return where, and what it makes."""
        storage = self._current
        try:
            return storage, await storage.incr(key, seconds)
        except StorageError:
            self._switch_over(storage)
            return self._process, await self._process.incr(key, seconds)

    async def take_back(self, storage: Storage, key: str, *, seconds: int) -> None:
        """Take one back where it was counted, unless that is lost since."""
        if storage not in (self._current, self._process):
            return
        try:
            await storage.incr(key, seconds, amount=-1)
        except StorageError:
            self._switch_over(storage)

    def _switch_over(self, shared: Storage) -> None:
        if self._current is self._process:
            return
        self._current = self._process
        # In a context of its own: it serves no request.
        probe = self._probe(shared)
        self._probing = asyncio.create_task(probe, context=Context())

    async def _probe(self, shared: Storage) -> None:
        """Ask until it answers; once without a word, for it may only have been slow."""
        answered = await _answers(shared)
        was_lost = not answered
        if was_lost:
            _log.warning("redis does not answer; each process counts for itself")
        while not answered:
            await asyncio.sleep(PROBE_SECONDS)
            answered = await _answers(shared)
        if was_lost:
            _log.info("redis answers again; all processes count together")
        self._current = shared


async def _answers(shared: Storage) -> bool:
    """Count something: a server may answer a ping and refuse to write."""
    try:
        await shared.incr("probe", 1)
    except StorageError:
        return False
    return True
