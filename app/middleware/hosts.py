"""Which Host headers are answered."""

import re
from collections.abc import Iterable

CACHED_HOSTS = 1000

# A name or an address, and a port. Nothing else: what looks like a path or a user to
# one reader, and like a part of the name to another, could end as a served name.
_HOST = re.compile(
    rb"(?:\[([0-9a-f:.]+)\]|([a-z0-9_-]+(?:\.[a-z0-9_-]+)*))(?::[0-9]*)?", re.IGNORECASE
)


class Hosts:
    """Names from the settings: exact, ``*.example.com``, or ``*`` for any."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = {name for name in names if not name.startswith("*")}
        self._suffixes = tuple(name[1:] for name in names if name.startswith("*."))
        self._any = "*" in names
        self._known: set[bytes] = set()

    def answers(self, header: bytes) -> bool:
        """Judge a Host header; the port does not matter."""
        if header in self._known:
            return True
        found = _HOST.fullmatch(header)
        if not found or not self._matches((found[1] or found[2]).decode().lower()):
            return False
        if len(self._known) < CACHED_HOSTS:
            self._known.add(header)
        return True

    def _matches(self, host: str) -> bool:
        return self._any or host in self._exact or host.endswith(self._suffixes)
