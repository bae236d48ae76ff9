"""The server as a process: how it starts, what signals do, and how it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.server.runner import END_SECONDS, GRACE_SECONDS, NOTICE_SECONDS
from tests.server.conftest import PATIENCE, Answer, Client

ROOT = Path(__file__).parents[2]


class Program:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.port = int(self.line())

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self, path: str) -> Answer:
        with Client(self.port) as client:
            return self.begin(client, path).answer()

    def begin(self, client: Client, path: str) -> Client:
        return client.send(
            b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % path.encode()
        )

    def pid(self) -> int:
        pid: int = json.loads(self.ask("/").body)["pid"]
        return pid

    def end(self, sig: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(sig)
        return self.wait()

    def wait(self) -> int:
        return self.process.wait(PATIENCE)


Start = Callable[..., Program]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start programs; options in capitals are constants of the runner."""
    with ExitStack() as stack:

        def start_one(**options: Any) -> Program:
            return Program(stack.enter_context(_running(options)))

        yield start_one


@contextmanager
def _running(options: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    constants = {name: options.pop(name) for name in list(options) if name.isupper()}
    python_path = os.pathsep.join([str(ROOT), options.get("reload_directory", "")])
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.server.serving",
            json.dumps([options, constants]),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": python_path},
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:  # a failed test; its workers must go, too
                os.killpg(process.pid, signal.SIGKILL)


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if holds():
                return
        except (OSError, IndexError):  # refused or cut off while workers change
            pass
        time.sleep(0.1)
    pytest.fail("it did not happen")


class TestSignal:
    @pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
    def test_ends_an_idle_server_with_a_return(
        self, start: Start, sig: signal.Signals
    ) -> None:
        program = start()
        assert program.ask("/").status == 200
        assert program.end(sig) == 0
        assert [program.line(), program.line()] == ["draining", "returned"]

    def test_lets_requests_end_and_tells_readiness_first(self, start: Start) -> None:
        program = start()
        with Client(program.port) as client, Client(program.port) as streamed:
            assert program.ask("/ready").status == 200
            program.begin(client, "/slow")
            program.begin(streamed, "/stream")
            assert program.line() == "slow begun"
            assert streamed.file.readline().startswith(b"HTTP/1.1 200")
            program.process.send_signal(signal.SIGTERM)
            assert program.line() == "draining"
            assert program.ask("/ready").status == 503
            assert client.answer().body == b"slow"
            assert streamed.file.read().endswith(b"3\r\nend\r\n0\r\n\r\n")
        assert program.wait() == 0
        assert program.line() == "returned"

    def test_cancels_what_does_not_end(self, start: Start) -> None:
        program = start(GRACE_SECONDS=1)
        with Client(program.port) as client:
            program.begin(client, "/hang")
            assert program.line() == "hang begun"
            program.process.send_signal(signal.SIGTERM)
            refused = client.answer()
            assert (refused.status, refused.problem["code"]) == (503, "unavailable")
        assert program.wait() == 0

    def test_ends_a_process_that_hangs(self, start: Start) -> None:
        program = start(END_SECONDS=1)
        with Client(program.port) as client:
            program.begin(client, "/block")
            assert program.line() == "block begun"
            assert program.end() == -signal.SIGALRM

    def test_forces_the_end_when_interrupted_twice(self, start: Start) -> None:
        program = start(GRACE_SECONDS=600, END_SECONDS=600)
        with Client(program.port) as client:
            program.begin(client, "/hang")
            assert program.line() == "hang begun"
            program.process.send_signal(signal.SIGINT)
            assert program.line() == "draining"
            assert program.end(signal.SIGINT) == 0

    def test_leaves_time_for_the_lifespan_within_ten_seconds(self) -> None:
        assert NOTICE_SECONDS + GRACE_SECONDS < END_SECONDS < 9.5


class TestWorkers:
    def test_are_several_and_end_together(self, start: Start) -> None:
        program = start(workers=2)
        pids: set[int] = set()

        def both_have_answered() -> bool:
            pids.add(program.pid())
            return len(pids) == 2

        eventually(both_have_answered)
        assert program.process.pid not in pids
        assert program.end() == 0
        assert [program.line() for _ in range(3)] == [
            "draining",
            "draining",
            "returned",
        ]

    def test_are_replaced_when_killed(self, start: Start) -> None:
        program = start(workers=2)
        eventually(lambda: program.pid() > 0)
        killed, seen = program.pid(), set[int]()
        os.kill(killed, signal.SIGKILL)

        def another_two() -> bool:
            seen.add(program.pid())
            return len(seen - {killed}) == 2

        eventually(another_two)
        assert program.end() == 0

    def test_may_come_from_a_factory(self, start: Start) -> None:
        program = start(workers=2, app="tests.server.apps:create", factory=True)
        eventually(lambda: program.ask("/").status == 200)
        assert program.end() == 0


class TestReload:
    def test_follows_a_change(self, start: Start, tmp_path: Path) -> None:
        module = tmp_path / "reloaded.py"
        module.write_text("from tests.server.apps import app\n")
        program = start(app="reloaded:app", reload=True, reload_directory=str(tmp_path))
        eventually(lambda: program.ask("/").status == 200)
        before = program.pid()
        time.sleep(1)  # the watcher must have seen the file once

        module.write_text("from tests.server.apps import app\n\n")
        eventually(lambda: program.pid() != before)
        assert program.end() == 0


class TestStart:
    @pytest.mark.parametrize("workers", [1, 2])
    @pytest.mark.parametrize(
        "app",
        ["tests.server.apps:stillborn", "tests.server.apps:missing", "missing:app"],
    )
    def test_fails_in_one_line(self, start: Start, app: str, workers: int) -> None:
        program = start(app=app, workers=workers)
        assert program.line() == "The application did not start; see its log."
        assert program.wait() == 1
