"""Headers of every response, whichever part of Zenith writes it."""

from collections.abc import Mapping, MutableMapping
from typing import Any

SECURITY_HEADERS = {
    b"cache-control": b"no-store",
    b"content-security-policy": b"default-src 'none'; frame-ancestors 'none'",
    b"cross-origin-resource-policy": b"same-origin",
    b"referrer-policy": b"no-referrer",
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
}
"""What OWASP's REST Security Cheat Sheet asks for; a route may set its own value."""

ADDED = "zenith.headers"
"""Where the edge keeps what is added to the response of a request."""


def add_headers(scope: MutableMapping[str, Any], headers: Mapping[str, str]) -> None:
    """Add headers to the response of a request, whichever it will be.

    What is added again takes the place of what was, for a request may be run again. A
    list of which each member has a line of its own is told apart by these (RFC 9651).
    """
    added: dict[tuple[bytes, bytes], bytes] = scope.setdefault(ADDED, {})
    for name, value in headers.items():
        raw = value.encode("latin-1")
        added[name.lower().encode("latin-1"), raw.partition(b";")[0]] = raw
