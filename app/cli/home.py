"""The folder that holds an installation's state, and who uses it."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from app.config import SettingsError

LOCK_FILE = "up.lock"


class Holder:
    """The one ``zenith up`` of a home."""

    def __init__(self, lock: TextIO) -> None:
        self._lock = lock

    def announce(self, url: str) -> None:
        """Leave a word for a second one: where the first answers."""
        self._lock.truncate(0)
        self._lock.write(url)
        self._lock.flush()


@contextlib.contextmanager
def held(home: Path) -> Iterator[Holder]:
    """Keep a home to oneself; raise `SettingsError` if another has it.

    The kernel frees the lock of a process that is killed.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        lock = (home / LOCK_FILE).open("a+", encoding="utf-8")
    except OSError as error:
        message = f"ZENITH_HOME: cannot use {home} ({error.strerror})"
        raise SettingsError(message) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            where = lock.read().strip() or "an address it is about to print"
            message = f"Zenith is already up in {home}, at {where}."
            raise SettingsError(message) from None
        yield Holder(lock)
