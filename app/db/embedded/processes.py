"""Which process, if any, is the server of a data directory."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

_HALF_WRITTEN_SECONDS = 2


def postmaster(data: Path) -> int | None:
    """Return the process id of the running server."""
    pid = _lock_holder(data / "postmaster.pid")
    return pid if pid is not None and is_postmaster(pid, data) else None


def is_postmaster(pid: int, data: Path) -> bool:
    """Tell whether a process is the server; a zombie or a reused id is not."""
    return f" -D {data} " in _command_line(pid)


def announces_ready(data: Path) -> bool:
    """Tell what the server wrote about itself; asking too early fills its log."""
    try:
        return b"\nready" in (data / "postmaster.pid").read_bytes()
    except FileNotFoundError:
        return False


def end_orphans(data: Path) -> None:
    """End backends that outlive their server and hold its memory while they compute.

    Call this only when no server runs. It finds them where /proc lets it look.
    """
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            title = (process / "cmdline").read_bytes()
            if title.startswith(b"postgres: ") and (process / "cwd").samefile(data):
                os.kill(int(process.name), signal.SIGQUIT)


def remove_stale_lock_files(data: Path) -> None:
    """Remove what PostgreSQL would believe although the server is gone.

    Lock files of a process that is gone are left to PostgreSQL, which removes them
    itself: a server that is just starting may be replacing them.
    """
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        file = data / name
        pid = _lock_holder(file)
        if pid is None:
            stale = _is_bogus(file)
        else:
            stale = _exists(pid) and not is_postmaster(pid, data)
        if stale:
            file.unlink(missing_ok=True)


def _lock_holder(file: Path) -> int | None:
    try:
        # PostgreSQL writes a negative id for a stand-alone backend.
        return abs(int(file.read_bytes().split(b"\n", 1)[0])) or None
    except (FileNotFoundError, ValueError):
        return None


def _is_bogus(file: Path) -> bool:
    """Tell whether a lock file is unreadable and not just about to be written."""
    try:
        return time.time() - file.stat().st_mtime > _HALF_WRITTEN_SECONDS
    except FileNotFoundError:
        return False


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _command_line(pid: int) -> str:
    """Return the arguments, each followed by a space; a zombie has none."""
    if sys.platform == "linux":
        # Unlike /proc/<pid>/cwd this can be read without CAP_SYS_PTRACE,
        # which root lacks in a container.
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        return os.fsdecode(arguments.replace(b"\0", b" "))
    else:  # noqa: RET505 - so mypy sees which branch belongs to which platform
        listing = subprocess.run(  # noqa: S603 - the one argument is a number
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)],
            capture_output=True,
            check=False,
        )
        return os.fsdecode(listing.stdout.rstrip(b"\n") + b" ")
