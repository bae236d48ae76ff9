"""What a request costs inside the process, against a bare Starlette route.

``uv run python -m bench.inprocess`` starts an embedded PostgreSQL in a temporary folder
and calls each application without a socket. The contestants take turns; a figure is the
median of the rounds, in microseconds of wall time and of this process's CPU.
"""

import asyncio
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from fastapi import FastAPI
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from app.config import Settings
from app.db.embedded import EmbeddedPostgres
from app.db.migrations import migrate
from app.dependencies import caller
from app.main import create_app
from app.middleware.edge import EdgeMiddleware
from app.middleware.guard import GuardMiddleware
from app.models.users import User
from app.security.limits import REQUESTS as REQUESTS_LIMIT
from app.telemetry.logs import configure_logging
from tests.factories.sessions import user_session

ROUNDS, REQUESTS = 7, 1000
ME = "/api/v1/users/me"
QUIET = Path(os.devnull)

Contestant = tuple[Any, str, list[tuple[bytes, bytes]]]


async def answer(_: Request) -> JSONResponse:
    return JSONResponse({"status": "healthy"})


def bare() -> Starlette:
    return Starlette(routes=[Route("/health", answer)])


async def call(app: Any, path: str, headers: list[tuple[bytes, bytes]]) -> int:
    """Send one request as a server does, and return the status."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "state": {},
    }
    await app(scope, receive, send)
    return status


async def measure(contestant: Contestant) -> tuple[float, float]:
    """Return microseconds of wall time and of CPU for one request."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(REQUESTS):
        assert await call(*contestant) in {200, 304}
    return (
        (time.perf_counter() - wall) / REQUESTS * 1e6,
        (time.process_time() - cpu) / REQUESTS * 1e6,
    )


@contextlib.asynccontextmanager
async def contestants(settings: Settings) -> AsyncIterator[dict[str, Contestant]]:
    app = create_app(settings)
    unlimited = create_app(settings.model_copy(update={"RATE_LIMIT_ENABLED": False}))
    async with (
        app.router.lifespan_context(app),
        unlimited.router.lifespan_context(unlimited),
    ):
        token = await signed_in(app)
        bearer = [(b"authorization", b"Bearer " + token.encode())]
        known = [*bearer, (b"if-none-match", b"*")]
        guarded = GuardMiddleware(bare(), max_body_bytes=1024)
        yield {
            "Starlette, bare route": (bare(), "/health", []),
            "the same inside Zenith's middleware": (
                EdgeMiddleware(guarded, settings=settings),
                "/health",
                [],
            ),
            "Zenith /health/live": (app, "/health/live", []),
            "Zenith /users/me": (app, ME, bearer),
            "the same, known to the client": (app, ME, known),
            "the same, without limits": (unlimited, ME, bearer),
            "Zenith /users, one row": (app, "/api/v1/users", bearer),
        }


async def signed_in(app: FastAPI) -> str:
    resources = app.state.resources
    user = User(
        email="ada@example.com",
        full_name="Ada",
        password_hash="!",  # noqa: S106 - no password fits it
        is_superuser=True,
    )
    async with resources.sessions.begin() as session:
        session.add(user)
    begun = user_session(user.id)
    async with resources.sessions.begin() as session:
        session.add(begun)
    token: str = resources.tokens.issue(user.id, session_id=begun.id).text
    return token


async def run(settings: Settings) -> None:
    # Counting is a part of the cost; being refused would be none.
    caller.REQUESTS = replace(REQUESTS_LIMIT, quota=10**9)  # type: ignore[attr-defined]  # imported there
    figures: dict[str, list[tuple[float, float]]] = {}
    async with contestants(settings) as racing:
        for _ in range(ROUNDS):
            for name, contestant in racing.items():
                figures.setdefault(name, []).append(await measure(contestant))
    base = statistics.median(cpu for _, cpu in next(iter(figures.values())))
    print(f"{'':38} {'wall us':>8} {'CPU us':>8} {'CPU ratio':>10}")
    for name, rounds in figures.items():
        wall = statistics.median(wall for wall, _ in rounds)
        cpu = statistics.median(cpu for _, cpu in rounds)
        print(f"{name:38} {wall:8.0f} {cpu:8.0f} {cpu / base:10.1f}")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="zenith-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home) as postgres, QUIET.open("w") as nowhere:
            owner, role = postgres.owner_url, "zenith_app"
            asyncio.run(migrate(owner, app_role=role, notice=print))
            settings = Settings(
                DATABASE_URL=SecretStr(postgres.app_url), ZENITH_HOME=home
            )
            configure_logging(style="json", level="INFO", output=nowhere)
            uvloop.run(run(settings))


if __name__ == "__main__":
    main()
