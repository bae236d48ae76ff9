"""The system user that runs PostgreSQL, which refuses to run as root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from app.db.embedded.errors import EmbeddedPostgresError

_ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
_TIMEOUT = 120


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group of the operating system."""

    uid: int
    gid: int

    @classmethod
    def current(cls) -> Self:
        return cls(os.geteuid(), os.getegid())

    @classmethod
    def for_new_cluster(cls) -> Self:
        """Choose the user of this process or, for root, ``nobody``."""
        if os.geteuid() != 0:
            return cls.current()
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise EmbeddedPostgresError(
                "PostgreSQL does not run as root, and there is no user nobody:"
                " run as an ordinary user or set DATABASE_URL."
            ) from None
        return cls(nobody.pw_uid, nobody.pw_gid)

    @classmethod
    def of_cluster(cls, data: Path) -> Self:
        """Choose the user of this process or, for root, the owner of the data."""
        if os.geteuid() != 0:
            return cls.current()
        status = data.stat()
        if status.st_uid == 0:
            raise EmbeddedPostgresError(
                f"{data} belongs to root, and PostgreSQL does not run as root:"
                f" chown -R nobody '{data}' or set DATABASE_URL."
            )
        return cls(status.st_uid, status.st_gid)

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()

    @property
    def has_passwd_entry(self) -> bool:
        try:
            pwd.getpwuid(self.uid)
        except KeyError:
            return False
        return True

    def own(self, folder: Path) -> None:
        if not self.is_current:
            shutil.chown(folder, self.uid, self.gid)

    def can_enter(self, folder: Path) -> bool:
        """Try it: modes alone do not tell (ACLs, mounts, every folder above)."""
        try:
            return self.run("/bin/sh", "-c", 'cd -- "$0"', folder).returncode == 0
        except OSError as error:
            raise EmbeddedPostgresError(
                f"PostgreSQL does not run as root, and root may not become user id"
                f" {self.uid} here ({error.strerror}): run as an ordinary user or set"
                " DATABASE_URL."
            ) from error

    def run(
        self, *command: str | Path, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; ``stdout`` holds both of its outputs."""
        return subprocess.run(  # noqa: S603 - no shell, and the programs are ours
            command,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
            **self._options(),
        )

    def spawn(self, *command: str | Path, log: Path) -> subprocess.Popen[bytes]:
        """Start a program that outlives this process."""
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - as above
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **self._options(),
            )

    def _options(self) -> dict[str, Any]:
        options: dict[str, Any] = {
            "cwd": "/",
            "env": _ENVIRONMENT,
            "umask": 0o077,
            # Ctrl-C in the terminal must not reach the database before the drain.
            "start_new_session": True,
        }
        if not self.is_current:
            options |= {"user": self.uid, "group": self.gid, "extra_groups": []}
        return options
