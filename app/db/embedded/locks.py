"""Locks that the kernel drops when their process dies, however it dies."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Let one process at a time decide about start and stop."""
    with _open(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough: a child forked meanwhile holds the file too.
            fcntl.flock(file, fcntl.LOCK_UN)


class Attendance:
    """A count of the attached processes; join and leave under the exclusive lock."""

    def __init__(self, path: Path) -> None:
        self._file = _open(path)
        fcntl.flock(self._file, fcntl.LOCK_SH)

    def leave(self) -> bool:
        """Leave, and tell whether nobody is left."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            self._file.close()
        return True


def _open(path: Path) -> IO[bytes]:
    path.touch(mode=0o600)
    return path.open("ab")
