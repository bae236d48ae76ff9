"""Homes with a database, made once for all workers of a run and then copied."""

import contextlib
import fcntl
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.processes import new_home


def made_once(folder: Path, name: str, make: Callable[[Path], None]) -> Path:
    """Return what the first worker to ask has made; nobody may change it."""
    made, new = folder / name, folder / f"{name}.new"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            shutil.rmtree(new, ignore_errors=True)
            make(new)
            new.rename(made)
    return made


def copy(home: Path, place: Path) -> None:
    """Copy a home in which nothing runs; its files keep their owners."""
    subprocess.run(["/bin/cp", "-a", home, place], check=True)


@contextlib.contextmanager
def copied(state: Path) -> Iterator[Path]:
    """Make a folder for a command, with a copy of somebody's state."""
    with new_home() as folder:
        copy(state, folder / "state")
        yield folder
