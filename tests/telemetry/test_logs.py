"""Logs that nobody can forge a line in."""

import json
import logging
import unicodedata
from collections.abc import AsyncIterator
from io import StringIO
from typing import get_args
from urllib.parse import quote

import pytest
import structlog
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.config import Settings
from app.web.routing import Router
from tests.conftest import client_of, running
from tests.factories.users import registration
from tests.telemetry.captured import Style, captured_logs, events, requests

HOSTILE = (
    '\r\n{"event": "forged"}\n\x1b[2J\x1b[31mred\x00\x07\x7f\x85\x9b31m'
    "\u2028\u2029\u202e\ufeff\t\x0b\x0c\x1c"
)
STYLES = get_args(Style)


def raw_controls(text: str) -> set[str]:
    """Find characters that would move the cursor, or end a line, of whoever reads."""
    return {
        character
        for character in text
        if unicodedata.category(character) in {"Cc", "Cf", "Zl", "Zp"}
        and character != "\n"
    }


class Broken(Exception):
    """A fault of ours, which quotes what a client sent."""


def add_broken_route(app: FastAPI) -> None:
    router = Router(include_in_schema=False)

    @router.get("/broken")
    async def break_down(q: str = "") -> None:
        raise Broken(q)

    app.include_router(router)


async def be_hostile(client: AsyncClient) -> int:
    """Send what is hostile wherever a client may write; return how many requests."""
    quoted = quote(HOSTILE)
    hostile = HOSTILE.encode().replace(b"\r", b" ").replace(b"\n", b" ")
    new = registration(full_name=HOSTILE, email=f"{HOSTILE}@example.com")
    answers = [
        await client.post("/api/v1/auth/register", json=new),
        await client.post("/api/v1/auth/register", json={HOSTILE: HOSTILE}),
        await client.post("/api/v1/auth/token", data={HOSTILE: HOSTILE}),
        await client.get(f"/{quoted}"),
        await client.get(f"/api/v1/users/{quoted}?{quoted}={quoted}"),
        await client.get(f"/broken?q={quoted}"),
        *[
            await client.get("/health", headers={name: hostile})
            for name in (b"X-Request-ID", b"User-Agent", b"Referer", b"X-Forwarded-For")
        ],
        await client.get("/health", headers={b"Host": hostile}),
        await client.get("/api/v1/users/me", headers={b"Authorization": hostile}),
    ]
    assert {answer.status_code for answer in answers} == {
        *(200, 400, 401, 404, 422, 500)
    }
    return len(answers)


@pytest.fixture(params=STYLES)
def style(request: pytest.FixtureRequest) -> Style:
    found: Style = request.param
    return found


@pytest.fixture
async def output(style: Style, settings: Settings) -> AsyncIterator[StringIO]:
    """All that is logged while somebody is hostile."""
    update = {"TRUSTED_PROXIES": [], "DB_POOL_SIZE": 1}
    with captured_logs(style) as output:
        async with running(settings.model_copy(update=update)) as app:
            add_broken_route(app)
            async with client_of(app) as client:
                count = await be_hostile(client)
        assert output.getvalue().count("duration_ms") == count
        yield output


class TestRequests:
    @pytest.mark.parametrize("style", ["json"], indirect=True)
    def test_json_has_one_line_for_each_event(self, output: StringIO) -> None:
        lines = output.getvalue().split("\n")
        assert lines.pop() == ""
        assert all(isinstance(json.loads(line), dict) for line in lines)
        assert output.getvalue().isascii()
        assert not raw_controls(output.getvalue())
        assert "forged" not in {event["event"] for event in events(output)}
        faults = [e for e in events(output) if e["event"] == "request failed"]
        assert len(faults) == 1
        assert "Broken" in faults[0]["exception"]

    @pytest.mark.parametrize("style", ["json"], indirect=True)
    def test_json_says_what_was_asked(self, output: StringIO) -> None:
        paths = [event["path"] for event in requests(output)]
        assert f"/{HOSTILE}" in paths
        assert len({event["request_id"] for event in requests(output)}) == len(paths)

    @pytest.mark.parametrize("style", ["console"], indirect=True)
    def test_the_console_shows_escapes(self, output: StringIO) -> None:
        text = output.getvalue()
        assert not raw_controls(text)
        assert r"\x1b[31mred\x00" in text
        assert not any(line.startswith("{") for line in text.splitlines())


class TestLibraries:
    def test_events_of_the_standard_library_are_one_line_too(
        self, style: Style
    ) -> None:
        with captured_logs(style) as output:
            logging.getLogger("some.library").warning("said %s", HOSTILE)
            structlog.get_logger().info(HOSTILE, key=HOSTILE)
        assert output.getvalue().count("\n") == 2
        assert not raw_controls(output.getvalue())

    def test_a_stack_that_quotes_is_shown_with_escapes(self, style: Style) -> None:
        with captured_logs(style) as output:
            failure = Broken(HOSTILE)
            logging.getLogger("some.library").error("failed", exc_info=failure)
            structlog.get_logger().error("failed", exc_info=failure)
        assert not raw_controls(output.getvalue())
        assert output.getvalue().count("Broken") >= 2

    def test_routine_of_quiet_libraries_is_left_out(self, style: Style) -> None:
        with captured_logs(style, level="INFO") as output:
            logging.getLogger("uvicorn.error").info("routine")
            logging.getLogger("sqlalchemy.engine").info("SELECT 1")
            logging.getLogger("uvicorn.error").warning("news")
        assert output.getvalue().count("\n") == 1
