"""The HTTP client of the process: bounded in time, in size and in calls at once."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from fastapi import FastAPI
from starlette.requests import Request

from app import __version__
from app.dependencies import HTTPClient
from app.errors import Unavailable
from app.integrations.http import MAX_BYTES, HttpClients, Lane, Patience
from app.web.routing import Router
from tests.conftest import client_of, running
from tests.valkey import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

Answering = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Somebody at the other end, who keeps the heads of what it was asked."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._connections: set[asyncio.Task[None]] = set()
        self.heads: list[str] = []
        self.now = self.most = 0
        """How many calls there are at once, and were at most."""

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            for connection in self._connections:
                connection.cancel()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heads.append(head.decode().lower())
                self.now += 1
                self.most = max(self.most, self.now)
                await self._answer(writer)
                await writer.drain()
                self.now -= 1
        except (asyncio.CancelledError, asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def saying(text: bytes) -> Answering:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(text)

    return answer


async def hang(_: asyncio.StreamWriter) -> None:
    await asyncio.sleep(600)


async def drip(writer: asyncio.StreamWriter) -> None:
    """Never pause for as long as a read may take."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def flood(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


@pytest.fixture
async def clients() -> AsyncIterator[HttpClients]:
    clients = HttpClients()
    yield clients
    await clients.close()


def lane(clients: HttpClients, *, concurrency: int = 10, seconds: float = 0.5) -> Lane:
    return Lane(clients, Patience(seconds, seconds), concurrency=concurrency)


class TestRequest:
    async def test_brings_the_answer_whatever_its_status(
        self, clients: HttpClients
    ) -> None:
        text = b"HTTP/1.1 418 Teapot\r\nContent-Length: 3\r\nX-A: b\r\n\r\nhot"
        server = Server(saying(text))
        async with server.listening() as url:
            answer = await clients.external("tea", concurrency=1).request(
                "POST", url, headers={"X-Mine": "1"}, content=b"water"
            )
        assert (answer.status, answer.content) == (418, b"hot")
        assert answer.headers["x-a"] == "b"
        (head,) = server.heads
        assert head.startswith("post / http/1.1\r\n")
        assert f"user-agent: zenith/{__version__}\r\n" in head
        assert "x-mine: 1\r\n" in head

    async def test_follows_no_redirect(self, clients: HttpClients) -> None:
        async with Server(saying(OK)).listening() as elsewhere:
            text = f"HTTP/1.1 302 Found\r\nLocation: {elsewhere}\r\n"
            server = Server(saying(f"{text}Content-Length: 0\r\n\r\n".encode()))
            async with server.listening() as url:
                assert (await lane(clients).request("GET", url)).status == 302

    async def test_keeps_no_cookie(self, clients: HttpClients) -> None:
        text = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
        server = Server(saying(text))
        async with server.listening() as url:
            for _ in range(2):
                await lane(clients).request("GET", url)
        assert "cookie" not in "".join(server.heads)

    async def test_unpacks_nothing(self, clients: HttpClients) -> None:
        text = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n"
        server = Server(saying(text + b"ok"))
        async with server.listening() as url:
            answer = await lane(clients).request("GET", url)
        assert answer.content == b"ok"
        assert "accept-encoding: identity\r\n" in server.heads[0]

    @pytest.mark.parametrize("answer", [hang, drip], ids=["hanging", "dripping"])
    async def test_gives_up_as_a_whole(
        self, clients: HttpClients, answer: Answering
    ) -> None:
        async with Server(answer).listening() as url:
            with pytest.raises(Unavailable, match="does not answer"):
                await lane(clients).request("GET", url)

    async def test_gives_up_where_nobody_listens(self, clients: HttpClients) -> None:
        url = f"http://127.0.0.1:{free_port()}/hidden-value"
        with pytest.raises(Unavailable) as caught:
            await clients.internal("nobody", concurrency=1).request("GET", url)
        assert "hidden-value" not in caught.value.detail

    async def test_gives_up_on_what_is_no_answer(self, clients: HttpClients) -> None:
        async with Server(saying(b"EHLO\r\n\r\n")).listening() as url:
            with pytest.raises(Unavailable):
                await lane(clients).request("GET", url)

    async def test_reads_no_huge_answer(self, clients: HttpClients) -> None:
        async with Server(flood).listening() as url:
            with pytest.raises(Unavailable, match="too large"):
                await lane(clients, seconds=60).request("GET", url)

    async def test_reads_up_to_the_bound(self, clients: HttpClients) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BYTES}\r\n\r\n".encode()
        async with Server(saying(head + bytes(MAX_BYTES))).listening() as url:
            answer = await lane(clients, seconds=60).request("GET", url)
        assert len(answer.content) == MAX_BYTES


class TestLane:
    async def test_is_one_for_each_name(self, clients: HttpClients) -> None:
        assert clients.external("a", concurrency=1) is clients.external(
            "a", concurrency=1
        )
        assert clients.external("a", concurrency=1) is not clients.external(
            "b", concurrency=1
        )

    async def test_lets_no_more_through_than_it_may(self, clients: HttpClients) -> None:
        async def think(writer: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0.01)
            writer.write(OK)

        server = Server(think)
        async with server.listening() as url:
            narrow = lane(clients, concurrency=3, seconds=60)
            answers = await asyncio.gather(
                *(narrow.request("GET", url) for _ in range(30))
            )
        assert [answer.content for answer in answers] == [b"ok"] * 30
        assert server.most == 3

    async def test_keeps_nobody_waiting_for_a_turn_for_ever(
        self, clients: HttpClients
    ) -> None:
        server = Server(hang)
        async with server.listening() as url:
            narrow = lane(clients, concurrency=1)
            answers = await asyncio.gather(
                *(narrow.request("GET", url) for _ in range(5)), return_exceptions=True
            )
        assert all(isinstance(answer, Unavailable) for answer in answers)
        assert server.most == 1

    async def test_loses_no_turn_to_a_call_that_failed(
        self, clients: HttpClients
    ) -> None:
        narrow = lane(clients, concurrency=1)
        async with Server(hang).listening() as url:
            for _ in range(2):
                with pytest.raises(Unavailable):
                    await narrow.request("GET", url)
        async with Server(saying(OK)).listening() as url:
            assert (await narrow.request("GET", url)).content == b"ok"

    async def test_takes_no_turn_of_another_lane(self, clients: HttpClients) -> None:
        stuck = lane(clients, concurrency=1, seconds=60)
        async with Server(hang).listening() as url:
            hanging = asyncio.create_task(stuck.request("GET", url))
            async with Server(saying(OK)).listening() as other:
                answer = await lane(clients, concurrency=1).request("GET", other)
            hanging.cancel()
        assert answer.content == b"ok"


class TestDependency:
    async def test_is_the_one_of_the_process(self, app: FastAPI) -> None:
        router = Router()

        @router.get("/lanes")
        async def lanes(request: Request, http: HTTPClient) -> bool:
            return http is request.app.state.resources.http

        async with running(app.state.settings) as own:
            own.include_router(router)
            assert (await client_of(own).get("/lanes")).json() is True


def test_nobody_imports_the_client_before_its_first_use() -> None:
    code = "import sys, app.main; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
