"""A real server in a thread, and clients that are only sockets."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pytest

from app.headers import SECURITY_HEADERS
from app.server.limits import Limits
from app.server.protocol import ZenithProtocol
from app.server.runner import Server, ServerConfig
from app.server.sockets import bind
from tests.server.apps import app

PATIENCE = 30.0
"""Seconds after which a test has failed, however busy the machine."""

HASTY = Limits(
    head_seconds=0.5,
    body_pause=0.5,
    body_seconds=1.0,
    reader_seconds=0.5,
    linger_seconds=0.5,
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> dict[str, Any]:
        """The body, after a look at everything that surrounds a refusal."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["connection"] == "close"
        assert self.headers["cache-control"] == "no-store"
        for name in SECURITY_HEADERS:
            assert name.decode() in self.headers
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert document["request_id"] == self.headers["x-request-id"]
        return document


class Client:
    """A socket that counts nothing, hurries nothing and believes nothing."""

    def __init__(self, port: int, *, receive_buffer: int | None = None) -> None:
        self.socket = socket.socket()
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(("127.0.0.1", port))
        self.file = self.socket.makefile("rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.file.close()
        self.socket.close()

    def send(self, *parts: bytes) -> Self:
        self.socket.sendall(b"".join(parts))
        return self

    def drip(self, *, pause: float, times: int) -> None:
        """Send a byte now and then, until done or told off."""
        with contextlib.suppress(OSError):
            for _ in range(times):
                self.send(b"x")
                time.sleep(pause)

    def answer(self) -> Answer:
        """Read one response whose length is given."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name] = value.strip()
        return Answer(status, headers, self.file.read(int(headers["content-length"])))

    def is_closed(self) -> bool:
        """Wait for the server to close, with not a byte more."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


Serve = Callable[..., int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start servers with limits of the test's own; each call gives a port."""
    with contextlib.ExitStack() as stack:

        def start(
            limits: Limits = HASTY, *, keep_alive: float = 0.5, **options: Any
        ) -> int:
            return stack.enter_context(_running(limits, keep_alive, options))

        yield start


@contextlib.contextmanager
def _running(
    limits: Limits, keep_alive: float, options: dict[str, Any]
) -> Iterator[int]:
    class Protocol(ZenithProtocol):
        limits: ClassVar[Limits]

    Protocol.limits = limits
    config = ServerConfig(app, protocol=Protocol, **options)
    config.timeout_keep_alive = keep_alive  # type: ignore[assignment]  # uvicorn wants whole seconds
    config.timeout_graceful_shutdown = 1
    server = Server(config)
    listener = bind("127.0.0.1", 0)
    port: int = listener.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield port
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def patient_server() -> Iterator[int]:
    with _running(Limits(), 8, {}) as port:
        yield port


@pytest.fixture
def client(patient_server: int) -> Iterator[Client]:
    """Connect to a server that is in no hurry."""
    with Client(patient_server) as connected:
        yield connected
