"""The one HTTP client of the process, in lanes that cannot take each other's turns."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import __version__
from app.errors import Unavailable

if TYPE_CHECKING:
    import httpx2

MAX_BYTES = 1024 * 1024  # of an answer


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call may take, its wait for a turn and the whole answer included."""

    seconds: float
    connect_seconds: float


INTERNAL = Patience(seconds=1, connect_seconds=0.5)
"""With services of one's own, which a request waits for."""

EXTERNAL = Patience(seconds=5, connect_seconds=5)
"""With everybody else."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status; a redirect is not followed."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Lane:
    """Calls for one purpose, as many at once as it may have."""

    def __init__(
        self, clients: "HttpClients", patience: Patience, *, concurrency: int
    ) -> None:
        self._clients = clients
        self._patience = patience
        self._turns = asyncio.Semaphore(concurrency)

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Call somebody.

        Raises `Unavailable` where there is no turn or no whole answer in time, or the
        answer is too large.
        """
        client = await self._clients.client()
        import httpx2  # noqa: PLC0415 - the client has imported it

        patience = self._patience
        timeout = httpx2.Timeout(patience.seconds, connect=patience.connect_seconds)
        try:
            # The library bounds each read, of which a slow answer may have many.
            async with (
                asyncio.timeout(patience.seconds),
                self._turns,
                client.stream(
                    method, url, headers=headers, content=content, timeout=timeout
                ) as response,
            ):
                return await _read(response)
        except (TimeoutError, httpx2.HTTPError) as error:
            raise Unavailable("Another service does not answer now.") from error


class HttpClients:
    """Makes lanes over one client, which is made when the first call needs it."""

    def __init__(self) -> None:
        self._lanes: dict[str, Lane] = {}
        self._client: httpx2.AsyncClient | None = None
        self._making = asyncio.Lock()

    def internal(self, name: str, *, concurrency: int) -> Lane:
        """Return the lane of this name for services of one's own."""
        return self._lane(name, INTERNAL, concurrency)

    def external(self, name: str, *, concurrency: int) -> Lane:
        """Return the lane of this name for services of others."""
        return self._lane(name, EXTERNAL, concurrency)

    async def client(self) -> "httpx2.AsyncClient":
        async with self._making:
            if self._client is None:  # importing it and reading certificates take long
                self._client = await asyncio.to_thread(_make_client)
        return self._client

    async def close(self) -> None:
        """Close every connection."""
        if self._client is not None:
            await self._client.aclose()

    def _lane(self, name: str, patience: Patience, concurrency: int) -> Lane:
        if name not in self._lanes:
            self._lanes[name] = Lane(self, patience, concurrency=concurrency)
        return self._lanes[name]


def _make_client() -> "httpx2.AsyncClient":
    # Both are slow to import, and many processes never call.
    from http.cookiejar import (  # noqa: PLC0415 - as said
        CookieJar,
        DefaultCookiePolicy,
    )

    import httpx2  # noqa: PLC0415 - as said

    return httpx2.AsyncClient(
        headers={
            "User-Agent": f"Zenith/{__version__}",
            # What is read is counted as it is sent; unpacked, it could be huge.
            "Accept-Encoding": "identity",
        },
        # Kept cookies would carry one caller's state into another's call.
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        limits=httpx2.Limits(max_connections=None),  # the lanes have their own
        timeout=None,
    )


async def _read(response: "httpx2.Response") -> Answer:
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > MAX_BYTES:
            raise Unavailable("The answer of another service is too large.")
    return Answer(response.status_code, response.headers, bytes(content))
