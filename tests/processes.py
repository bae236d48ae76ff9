"""The ``zenith`` command as a process, in a home and on a port of its own."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

import httpx2

from app.config import Settings

PATIENCE_SECONDS = 60  # an end for a test that would hang; nothing is asserted of it
PROGRAM = "from app.cli import main; main()"
COMMAND = (sys.executable, "-c", PROGRAM)

T = TypeVar("T")


def environment(**given: str) -> dict[str, str]:
    """The environment without the settings of whoever runs the tests."""
    inherited = {k: v for k, v in os.environ.items() if k not in Settings.model_fields}
    return {
        **inherited,
        "COLUMNS": "100",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "",  # else each process compiles all of Zenith
        **given,
    }


@contextlib.contextmanager
def new_home() -> Iterator[Path]:
    """Make a folder that PostgreSQL's user reaches where the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix="zenith-home-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(
    *arguments: str, home: Path, given: str | None = None, **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; ``given`` is what it reads from stdin."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(ZENITH_HOME=str(home / "state"), **settings),
        cwd=home,
        input=given,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Running:
    """A server that has been started; leaving the context kills what is left of it.

    ``prelude`` is Python that the process runs first.
    """

    options: ClassVar[tuple[str, ...]] = ("--port", "0")

    def __init__(
        self, *arguments: str, home: Path, prelude: str = "", **settings: str
    ) -> None:
        self._clients = contextlib.ExitStack()
        self._log = home / f"{time.monotonic_ns()}.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    f"{prelude}\n{PROGRAM}",
                    *arguments,
                    *self.options,
                ],
                env=environment(ZENITH_HOME=str(home / "state"), **settings),
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._clients.close()
        if self.process.poll() is None:
            self.stop(signal.SIGINT)  # the other signal gives notice for a second

    @property
    def output(self) -> str:
        return self._log.read_text()

    def url(self) -> str:
        """Wait until the server says where it answers."""
        return self.wait_for(r"http://[\w.\[\]:]+:\d+").group()

    def listening(self) -> httpx2.Client:
        """Wait until requests are answered; return a client for them."""
        return self._answering("/health/live")

    def ready(self) -> httpx2.Client:
        """Wait until requests are served; return a client for them."""
        return self._answering("/health/ready")

    def _answering(self, path: str) -> httpx2.Client:
        client = self._clients.enter_context(httpx2.Client(base_url=self.url()))
        for _ in self._patiently():
            with contextlib.suppress(httpx2.TransportError):
                if client.get(path).status_code == 200:
                    return client
        raise AssertionError(self.output)

    def wait_for(self, pattern: str) -> re.Match[str]:
        return self.wait_until(lambda: re.search(pattern, self.output))

    def wait_until(self, condition: Callable[[], T | None]) -> T:
        """Wait for a condition, and return what it gives when it holds."""
        for _ in self._patiently():
            if result := condition():
                return result
        raise AssertionError(self.output)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def _patiently(self) -> Iterator[None]:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            yield
            time.sleep(0.05)


class RunningWorker(Running):
    """A worker, which listens for nobody."""

    options: ClassVar[tuple[str, ...]] = ()
