"""A point in time that moves at almost no cost."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls back when its time has come.

    The timer below it is left where it is when the deadline moves away, and looks again
    when it fires: most requests end long before, and need no timer of their own.
    """

    __slots__ = ("_at", "_loop", "_on_expiry", "_timer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, on_expiry: Callable[[], None]
    ) -> None:
        self._loop = loop
        self._on_expiry = on_expiry
        self._at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        self._at = self._loop.time() + seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._at, self._look)
        elif self._timer.when() > self._at:
            self._timer.cancel()
            self._timer = self._loop.call_at(self._at, self._look)

    def close(self) -> None:
        """Let go of the timer; the deadline must not be set again."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        if self._loop.time() >= self._at:
            self._on_expiry()
        else:
            self._timer = self._loop.call_at(self._at, self._look)
