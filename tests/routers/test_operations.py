"""Health, readiness and the documentation, from outside."""

import base64
import hashlib
import re

import pytest
from httpx2 import AsyncClient

from app import __version__, lifecycle


class TestHealth:
    async def test_tells_the_version(self, client: AsyncClient) -> None:
        response = await client.get("/health")
        assert response.json() == {"status": "healthy", "version": __version__}

    async def test_live_needs_nothing(self, client: AsyncClient) -> None:
        assert (await client.get("/health/live")).json() == {"status": "alive"}


class TestReady:
    async def test_tells_of_each_dependency(self, client: AsyncClient) -> None:
        response = await client.get("/health/ready")
        assert response.status_code == 200
        assert response.json() == {
            "status": "ready",
            "checks": {
                "database": "up",
                "schema": "up",
                "redis": "off",
                "kafka": "off",
            },
        }

    async def test_ends_with_the_signal_to_stop(
        self, client: AsyncClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(lifecycle, "_draining", type(lifecycle._draining)())
        lifecycle.start_draining()
        response = await client.get("/health/ready")
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == 503
        assert response.json()["checks"]["database"] == "up"
        assert (await client.get("/health/live")).status_code == 200


class TestJWKS:
    async def test_publishes_no_secret(self, client: AsyncClient) -> None:
        response = await client.get("/.well-known/jwks.json")
        assert response.json() == {"keys": []}


class TestDocs:
    async def test_load_nothing_from_elsewhere(self, client: AsyncClient) -> None:
        page = await client.get("/docs")
        assert page.status_code == 200
        links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert len(links) >= 3
        for link in links:
            asset = await client.get(link)
            assert asset.status_code == 200, link
            assert asset.headers["cache-control"] == "public, max-age=86400"

    async def test_allow_their_own_script_and_no_other(
        self, client: AsyncClient
    ) -> None:
        page = await client.get("/docs")
        policy = page.headers["content-security-policy"]
        scripts = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
        for script in scripts:
            digest = base64.b64encode(hashlib.sha256(script.encode()).digest())
            assert f"'sha256-{digest.decode()}'" in policy
        directives = dict(d.strip().split(" ", 1) for d in policy.split(";"))
        assert "unsafe-inline" not in directives["script-src"]
        assert directives["default-src"] == "'none'"

    async def test_say_where_tokens_are_issued(self, client: AsyncClient) -> None:
        document = (await client.get("/api/v1/openapi.json")).json()
        schemes = document["components"]["securitySchemes"]
        password = schemes["OAuth2PasswordBearer"]["flows"]["password"]
        assert password["tokenUrl"] == "/api/v1/auth/token"
