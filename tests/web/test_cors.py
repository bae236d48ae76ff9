"""Cross-origin requests of browsers."""

from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient
from pydantic import ValidationError

from app.config import Settings
from tests.conftest import client_of, running, settings_for
from tests.contract.answers import complaints

ALLOWED = "https://app.example.com"
FOREIGN = (
    "https://evil.example",
    "http://app.example.com",
    "https://app.example.com.evil.example",
    "https://app.example.com:8443",
    "null",
    "*",
    "",
)
REGISTER = "/api/v1/auth/register"


@pytest.fixture(scope="module")
async def browser(settings: Settings) -> AsyncIterator[AsyncClient]:
    update = {"ALLOWED_ORIGINS": [ALLOWED], "DB_POOL_SIZE": 1}
    async with (
        running(settings.model_copy(update=update)) as app,
        client_of(app) as client,
    ):
        yield client


def preflight(
    origin: str, method: str = "POST", headers: str = "content-type"
) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }


class TestPreflight:
    @pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
    async def test_is_allowed_from_an_origin_of_the_settings(
        self, browser: AsyncClient, method: str
    ) -> None:
        sent = "authorization, content-type, x-api-key"
        asked = preflight(ALLOWED, method, sent)
        response = await browser.options(REGISTER, headers=asked)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == ALLOWED
        assert method in response.headers["access-control-allow-methods"]
        assert response.headers["access-control-allow-credentials"] == "true"
        assert "Origin" in response.headers["vary"]

    @pytest.mark.parametrize("origin", FOREIGN)
    async def test_is_refused_from_any_other_as_a_problem(
        self, browser: AsyncClient, origin: str
    ) -> None:
        response = await browser.options(REGISTER, headers=preflight(origin))
        assert complaints(response, status=400) == []
        assert "access-control-allow-origin" not in response.headers
        assert response.headers["vary"] == "Origin"

    async def test_is_refused_for_what_is_not_offered(
        self, browser: AsyncClient
    ) -> None:
        for asked in (
            preflight(ALLOWED, "TRACE"),
            preflight(ALLOWED, "get"),
            preflight(ALLOWED, "POST", "x-whatever"),
        ):
            response = await browser.options(REGISTER, headers=asked)
            assert complaints(response, status=400) == []


class TestRequest:
    async def test_errors_can_be_read_from_an_allowed_origin_too(
        self, browser: AsyncClient
    ) -> None:
        headers = {"Origin": ALLOWED}
        too_large = b"a" * 2_000_000
        for response in (
            await browser.get("/health", headers=headers),
            await browser.get("/x", headers=headers),
            await browser.get("/api/v1/users/me", headers=headers),
            await browser.post(REGISTER, headers=headers),
            await browser.post(REGISTER, headers=headers, content=too_large),
            await browser.options(REGISTER, headers=headers),
        ):
            assert response.headers["access-control-allow-origin"] == ALLOWED
            assert "X-Request-ID" in response.headers["access-control-expose-headers"]
            assert "Origin" in response.headers["vary"]

    @pytest.mark.parametrize("origin", FOREIGN)
    async def test_nothing_is_allowed_to_another_origin(
        self, browser: AsyncClient, origin: str
    ) -> None:
        response = await browser.get("/health", headers={"Origin": origin})
        assert response.status_code == 200
        assert "access-control-allow-origin" not in response.headers

    async def test_without_origins_there_is_no_word_of_it(
        self, client: AsyncClient
    ) -> None:
        response = await client.get("/health", headers={"Origin": ALLOWED})
        assert not [h for h in response.headers if h.startswith("access-control")]
        response = await client.options(REGISTER, headers=preflight(ALLOWED))
        assert complaints(response, status=405) == []


class TestSettings:
    @pytest.mark.parametrize(
        "origins",
        [
            "*",
            f"{ALLOWED}, *",
            '["*"]',
            "https://*",
            f"{ALLOWED}/path",
            "app.example.com",
        ],
    )
    def test_every_site_at_once_is_no_origin(self, origins: str) -> None:
        with pytest.raises(ValidationError, match="ALLOWED_ORIGINS"):
            settings_for(ALLOWED_ORIGINS=origins)
