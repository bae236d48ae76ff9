"""How fast the body of a request must come."""

from app.server.limits import Limits


class Pace:
    """Short pauses, and all of them together in proportion to the body's size.

    A client that drips a byte before each pause is over would otherwise never end.
    """

    __slots__ = ("_left", "_limits", "_since")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.body_seconds
        self._since: float | None = None

    def pause(self, now: float, *, after: int, held: bool) -> float:
        """Give the seconds to wait ``after`` so many bytes.

        A client that is held up by us is not to blame for the time that passes.
        """
        self._left += after / self._limits.body_rate
        if self._since is not None:
            self._left -= now - self._since
        self._since = None if held else now
        return min(self._limits.body_pause, self._left)

    @property
    def was_held(self) -> bool:
        """Whether the latest pause was not the client's own."""
        return self._since is None
