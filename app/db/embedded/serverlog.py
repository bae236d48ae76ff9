"""The log file of the server."""

import os
from pathlib import Path

_LARGEST = 10_000_000
_KEPT = 1_000_000


class ServerLog:
    """A log of bounded size that knows what the last start wrote to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def begin(self) -> None:
        """Make the file ready for a start; a long one keeps its end."""
        self.path.touch(mode=0o600)
        if self.path.stat().st_size > _LARGEST:
            with self.path.open("rb") as file:
                file.seek(-_KEPT, os.SEEK_END)
                kept = file.read()
            self.path.write_bytes(kept)
        self._start = self.path.stat().st_size

    def read(self) -> str:
        """Return what was written since the last start."""
        with self.path.open("rb") as file:
            file.seek(self._start)
            return file.read().decode(errors="replace")
