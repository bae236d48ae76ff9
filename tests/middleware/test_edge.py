"""What every request gets and every response has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response

from app.config import Settings
from app.middleware.asgi import Receive, Scope, Send
from app.middleware.edge import EdgeMiddleware
from tests.conftest import BASE_URL, running
from tests.telemetry.captured import captured_logs, requests

PROXIES = [ip_network(text) for text in ("10.0.0.0/8", "192.0.2.1/32", "fd00::/8")]


class TestRequestId:
    @pytest.mark.parametrize("given", ["a", "A-1_b.2", "0" * 128])
    async def test_a_decent_one_is_kept(self, client: AsyncClient, given: str) -> None:
        response = await client.get("/health", headers={"X-Request-ID": given})
        assert response.headers.get_list("x-request-id") == [given]

    @pytest.mark.parametrize(
        "given", ["", "a b", "a/b", "0" * 129, "é", "\x1b[31m", "a,b", "{}", "a;b"]
    )
    async def test_any_other_is_replaced(self, client: AsyncClient, given: str) -> None:
        headers = {b"X-Request-ID": given.encode()}
        response = await client.get("/health", headers=headers)
        (made,) = response.headers.get_list("x-request-id")
        assert UUID(made).version == 7

    async def test_each_request_gets_one_of_its_own(self, client: AsyncClient) -> None:
        answers = [await client.get("/health") for _ in range(3)]
        assert len({answer.headers["x-request-id"] for answer in answers}) == 3

    async def test_a_problem_names_it(self, client: AsyncClient) -> None:
        response = await client.get("/x", headers={"X-Request-ID": "mine"})
        assert response.json()["request_id"] == "mine"


class TestSecurityHeaders:
    @pytest.mark.parametrize("path", ["/health", "/x", "/api/v1/users/me", "/metrics"])
    async def test_stand_in_every_answer_once(
        self, client: AsyncClient, path: str
    ) -> None:
        response = await client.get(path)
        for name, value in {
            "cache-control": "no-store",
            "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "x-frame-options": "DENY",
            "referrer-policy": "no-referrer",
        }.items():
            assert response.headers.get_list(name) == [value]
        assert "server" not in response.headers
        assert "strict-transport-security" not in response.headers

    async def test_production_insists_on_https(self, settings: Settings) -> None:
        update = {"ENVIRONMENT": "production", "PUBLIC_URL": "https://localhost"}
        given = settings.model_dump(exclude_unset=True) | update
        async with asked(Settings(_env_file=None, **given)) as ask:
            response = await ask("127.0.0.1")
        assert "max-age=" in response.headers["strict-transport-security"]


class Ask:
    """Sends a request from an address and remembers what the application saw."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, peer: str, *forwarded_for: str, **more: str) -> Response:
        headers = [("X-Forwarded-For", hop) for hop in forwarded_for]
        headers += [(name.replace("_", "-"), value) for name, value in more.items()]
        transport = ASGITransport(self._app, client=(peer, 1))
        async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
            return await client.get("/health", headers=headers)

    async def client(self, peer: str, *forwarded_for: str) -> str:
        """Return the address that the access log names."""
        with captured_logs("json", level="INFO") as output:
            self._app.middleware_stack = None  # its logger was made before
            await self(peer, *forwarded_for)
        (event,) = requests(output)
        address: str = event["client"]
        return address


@asynccontextmanager
async def asked(settings: Settings) -> AsyncIterator[Ask]:
    async with running(settings) as app:
        yield Ask(app)


@pytest.fixture(scope="module")
async def ask(settings: Settings) -> AsyncIterator[Ask]:
    """Ask an application that stands behind proxies."""
    update = {"TRUSTED_PROXIES": PROXIES, "DB_POOL_SIZE": 1}
    async with asked(settings.model_copy(update=update)) as ask:
        yield ask


class TestScheme:
    @pytest.mark.parametrize(
        ("peer", "told", "scheme"),
        [
            ("10.0.0.1", "https", "https"),
            ("203.0.113.9", "https", "http"),
            ("10.0.0.1", "javascript", "http"),
            ("10.0.0.1", "https,http", "http"),
        ],
    )
    async def test_is_what_a_proxy_tells_and_nobody_else(
        self, settings: Settings, peer: str, told: str, scheme: str
    ) -> None:
        seen: list[Any] = []

        async def app(scope: Scope, _: Receive, send: Send) -> None:
            seen.append(scope["scheme"])
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

        update = {"TRUSTED_PROXIES": PROXIES}
        edge = EdgeMiddleware(app, settings=settings.model_copy(update=update))
        transport = ASGITransport(edge, client=(peer, 1))
        async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
            await client.get("/", headers={"X-Forwarded-Proto": told})
        assert seen == [scheme]


class TestClient:
    @pytest.mark.parametrize("peer", ["203.0.113.9", "2001:db8::9", "192.0.2.2"])
    async def test_is_the_peer_if_that_is_no_proxy(self, ask: Ask, peer: str) -> None:
        assert await ask.client(peer, "10.0.0.1, 198.51.100.7") == peer
        assert await ask.client(peer, "127.0.0.1") == peer

    @pytest.mark.parametrize("peer", ["10.1.2.3", "192.0.2.1", "fd00::1"])
    async def test_is_the_rightmost_hop_that_is_no_proxy(
        self, ask: Ask, peer: str
    ) -> None:
        for client in ("198.51.100.7", "2001:db8::7"):
            forged = "1.1.1.1, 127.0.0.1, ::1, 10.9.9.9"
            for hops in (client, f"{forged}, {client}", f"{client}, 10.0.0.2,fd00::2"):
                assert await ask.client(peer, hops) == client

    async def test_is_found_in_many_headers_as_in_one(self, ask: Ask) -> None:
        hops = ("1.1.1.1", "198.51.100.7", "10.0.0.2")
        assert await ask.client("10.0.0.1", *hops) == "198.51.100.7"

    async def test_is_the_first_hop_if_all_are_proxies(self, ask: Ask) -> None:
        assert await ask.client("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3"

    async def test_is_the_proxy_if_that_tells_nothing(self, ask: Ask) -> None:
        for hops in ((), ("",), ("unknown",), ("1.1.1.1, unknown",), ("1.1.1.1,",)):
            assert await ask.client("10.0.0.1", *hops) == "10.0.0.1"

    async def test_is_the_same_address_in_either_notation(self, ask: Ask) -> None:
        peer = "::ffff:10.0.0.1"
        assert await ask.client(peer, "::ffff:198.51.100.7") == "198.51.100.7"
        assert await ask.client("fd00:0:0::01", "2001:DB8:0::7") == "2001:db8::7"

    async def test_is_always_the_peer_without_proxies(self, settings: Settings) -> None:
        async with asked(settings.model_copy(update={"DB_POOL_SIZE": 1})) as ask:
            for peer in ("10.0.0.1", "127.0.0.1"):
                assert await ask.client(peer, "198.51.100.7") == peer
