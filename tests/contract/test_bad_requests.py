"""Wrong methods, hosts and headers, at every path."""

from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.contract.conftest import Complaints, every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import ONCE, Scene, scene_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY")
FOREIGN_HOSTS = (
    "",
    " ",
    "evil.example",
    "evil.example:80",
    "localhost.evil.example",
    "evil.example/localhost",
    "localhost@evil.example",
    "localhost:80@evil.example",
    "localhost:80:80",
    "localhost:x",
    "localhost#",
    "localhost, evil.example",
    "localhost evil.example",
    "127.0.0.1.nip.io",
    "[::2]",
    "[::1",
    "2130706433",
    "*",
    ".",
    "é".encode(),
    b"\xff",
    "a" * 10_000,
)
MARK = uuid4().hex  # which no row that another test has left holds
HOSTILE_HEADERS: tuple[tuple[str, str | bytes], ...] = (
    ("X-Forwarded-For", f"{MARK}, 1.2.3.4, ::1"),
    ("X-Forwarded-Host", f"{MARK}.example"),
    ("X-Forwarded-Proto", "javascript"),
    ("Forwarded", f"for=1.2.3.4;host={MARK}.example;proto=https"),
    ("X-Original-URL", "/health"),
    ("X-Rewrite-URL", "/health"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-Request-ID", f"{MARK} and more"),
    ("X-Request-ID", b"\x1b[31m\xff"),
    ("Accept", "text/html;q=\xff".encode("latin-1")),
    ("Accept", "*/*;" * 1000),
    ("Accept-Language", "\u2028".encode()),
    ("Cookie", "a=" + "b" * 10_000),
    ("Range", "bytes=0-1,2-3,-1"),
    ("If-None-Match", "*"),
    ("If-Modified-Since", "yesterday"),
    ("Origin", "null"),
    ("Origin", f"https://{MARK}.example"),
    ("Referer", b"\x00\x01"),
    ("User-Agent", b"\xf0\x9f\x92\xa9\r"),
    ("traceparent", "00-00-00-00"),
    ("Transfer-Encoding", "gzip, chunked"),
    ("Upgrade", "websocket"),
    ("Expect", "100-continue"),
    ("Content-Length", "0"),
)


def methods_at(path: str) -> set[str]:
    return {
        operation.method
        for operation in OPERATIONS
        if operation.pattern.fullmatch(path)
    }


class TestMethod:
    @every(OPERATIONS)
    async def test_another_method_is_told_all_that_are_allowed(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        allowed = methods_at(operation.path.format(**sample.path))
        for method in (*METHODS, "BREW"):
            if method in allowed:
                continue
            response = await send(scene, operation, sample, method=method)
            found.about(method, response, status=405)
            given = set(response.headers.get("allow", "").split(", "))
            if given != allowed:
                found.add(method, f"Allow: {given}, not {allowed}")
        found.assert_none()


class TestHost:
    @every(OPERATIONS)
    async def test_a_host_that_is_not_served_is_refused(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        for host in FOREIGN_HOSTS:
            response = await send(scene, operation, sample, headers={"Host": host})
            found.about(f"Host {host[:40]!r}", response, status=400)
        found.assert_none()

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "[::1]:80", "[::1]"]
    )
    async def test_a_host_that_is_served_is_answered(
        self, host: str, scene: Scene
    ) -> None:
        client = scene.caller.client
        response = await client.get("/health", headers={"Host": host})
        assert response.status_code == 200


class TestHeaders:
    @every([operation for operation in OPERATIONS if not operation.has_body])
    async def test_none_is_a_fault_of_ours_or_comes_back(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        for name, value in HOSTILE_HEADERS:
            headers = {name: value}
            response = await send(scene, operation, sample, headers=headers)
            if operation.id in ONCE:
                scene = await scene_of(scene.app, operation)
                sample = await sample_of(operation, scene)
            if not response.is_success and response.status_code != 304:
                found.add(f"{name}: {value!r}", f"{response.status_code}")
            told = response.text + str(response.headers)
            if MARK in told:
                found.add(f"{name}: {value!r}", "comes back")
        found.assert_none()


class TestUnknownPath:
    @pytest.mark.parametrize(
        "path",
        [
            "/",
            "/api",
            "/api/v1",
            "/api/v2/users/me",
            "/API/v1/users/me",
            "/api/v1/auth/register%20",
            "/api/v1/auth/register%00",
            "/api/v1/../../etc/passwd",
            "/api/v1/%2e%2e/%2e%2e/etc/passwd",
            "/docs/assets/%2e%2e/%2e%2e/METADATA",
            "/docs/assets/%00",
            "/docs/assets/" + "a" * 300,
            "/docs/assets/",
            "/.env",
            "/" + quote("\r\nX: 1\x1b[31m\u2028\x00"),
            "/" + "%ff" * 100,
            "/" + "a/" * 2000,
        ],
    )
    async def test_is_not_found(
        self, path: str, scene: Scene, found: Complaints
    ) -> None:
        client = scene.caller.client
        for method in ("GET", "POST", "DELETE"):
            url = f"http://localhost{path}"
            response = await client.request(method, url)
            status = 405 if "assets" in path and method != "GET" else 404
            found.about(f"{method} {path[:50]}", response, status=status)
            if status == 405 and response.headers.get("allow") != "GET, HEAD":
                found.add(method, f"Allow: {response.headers.get('allow')}")
        found.assert_none()
