"""Headers that a part of a request adds to whatever its response will be."""

from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient, Response

from app.errors import TooManyRequests
from app.headers import add_headers
from app.middleware.asgi import App, Receive, Scope, Send, send_problem
from app.middleware.edge import EdgeMiddleware
from app.middleware.guard import GuardMiddleware
from app.web.cors import ProblemCORSMiddleware
from tests.conftest import BASE_URL, settings_for

ORIGIN = "https://app.example.com"
STANDING = {"RateLimit-Policy": '"auth";q=30;w=60', "RateLimit": '"auth";r=29;t=60'}


async def ask(app: App) -> Response:
    """Ask an application through all the layers that stand around one."""
    settings = settings_for(ALLOWED_ORIGINS=[ORIGIN])
    guarded = GuardMiddleware(app, max_body_bytes=1024)
    edge = EdgeMiddleware(
        ProblemCORSMiddleware(guarded, settings=settings), settings=settings
    )
    transport = ASGITransport(edge)
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        return await client.get("/", headers={"Origin": ORIGIN})


async def answer(send: Send, status: int, *headers: tuple[bytes, bytes]) -> None:
    start: dict[str, Any] = {"type": "http.response.start", "status": status}
    await send({**start, "headers": list(headers)})
    await send({"type": "http.response.body"})


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500])
async def test_stand_in_every_answer(status: int) -> None:
    async def app(scope: Scope, _: Receive, send: Send) -> None:
        add_headers(scope, STANDING)
        await answer(send, status)

    response = await ask(app)
    assert response.status_code == status
    assert response.headers.get_list("ratelimit") == ['"auth";r=29;t=60']
    assert response.headers.get_list("ratelimit-policy") == ['"auth";q=30;w=60']
    assert response.headers["access-control-allow-origin"] == ORIGIN


async def test_stand_in_the_answer_to_a_fault() -> None:
    async def app(scope: Scope, _: Receive, __: Send) -> None:
        add_headers(scope, STANDING)
        raise ZeroDivisionError

    response = await ask(app)
    assert response.json()["code"] == "internal_error"
    assert response.headers["ratelimit"] == '"auth";r=29;t=60'


async def test_of_two_policies_both_stand_there_and_the_last_word_of_each() -> None:
    async def app(scope: Scope, _: Receive, send: Send) -> None:
        add_headers(scope, STANDING)
        add_headers(scope, {"RateLimit": '"requests";r=599;t=60'})
        add_headers(scope, {"RateLimit": '"auth";r=28;t=60'})
        refusal = TooManyRequests("Slow down.", headers={"Retry-After": "60"})
        await send_problem(refusal, scope, send)

    response = await ask(app)
    lines = response.headers.get_list("ratelimit")
    assert sorted(lines) == ['"auth";r=28;t=60', '"requests";r=599;t=60']
    assert response.headers["retry-after"] == "60"


async def test_of_one_request_do_not_stand_in_the_next() -> None:
    async def app(scope: Scope, _: Receive, send: Send) -> None:
        if scope["path"] == "/first":
            add_headers(scope, STANDING)
        await answer(send, 204)

    edge = EdgeMiddleware(app, settings=settings_for())
    transport = ASGITransport(edge)
    async with AsyncClient(transport=transport, base_url=BASE_URL) as client:
        assert "ratelimit" in (await client.get("/first")).headers
        assert "ratelimit" not in (await client.get("/second")).headers
