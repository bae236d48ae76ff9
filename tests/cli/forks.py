"""Commands that start with the libraries loaded: each is a fork of one process."""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Self

from tests.cli.forking import STREAMS
from tests.processes import PATIENCE_SECONDS, environment


class Forks:
    """Runs commands, one after the other."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-c", "from tests.cli.forking import serve; serve()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
            text=True,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kill()
        self._server.communicate()

    def run(
        self, *arguments: str, home: Path, given: str = "", **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, as `tests.processes.run` does."""
        with tempfile.TemporaryDirectory(prefix="zenith-fork-") as name:
            folder = Path(name)
            (folder / "stdin").write_text(given)
            code = self._ask(
                arguments=arguments,
                environment=environment(ZENITH_HOME=str(home / "state"), **settings),
                home=str(home),
                streams=name,
            )
            output = [(folder / stream).read_text() for stream in STREAMS[1:]]
        return subprocess.CompletedProcess(arguments, code, *output)

    def _ask(self, **request: Any) -> int:
        requests, answers = self._server.stdin, self._server.stdout
        assert requests is not None
        assert answers is not None
        requests.write(json.dumps(request) + "\n")
        requests.flush()
        has_answered, *_ = select.select([answers], [], [], PATIENCE_SECONDS)
        if not has_answered:
            self._kill()  # a late answer would be taken for the next one's
            raise TimeoutError(request["arguments"])
        return int(answers.readline())

    def _kill(self) -> None:
        os.killpg(self._server.pid, signal.SIGKILL)
