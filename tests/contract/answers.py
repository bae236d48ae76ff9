"""What every answer of the API has, whatever was asked."""

import json
from collections.abc import Iterator
from typing import Any

from httpx2 import Response

from app.problems import MEDIA_TYPE
from tests.contract.scenes import SECRET

MEMBERS = {"type", "title", "status", "detail", "instance", "code", "request_id"}
FURTHER_MEMBERS = {
    "validation_failed": {"errors"},
    "invalid_request": {"error", "error_description"},
    "unsupported_grant_type": {"error", "error_description"},
    "invalid_grant": {"error", "error_description"},
    "inactive_user": {"error", "error_description"},
}
SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
PLACES = ("/body", "/query", "/header", "/cookie")

# Of a stack, of SQL, of a library's own words.
_INNER_THINGS = (
    "Traceback",
    'File "',
    ".py",
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "sqlalchemy",
    "asyncpg",
    "pydantic",
    "postgres",
    "Exception",
)


def complaints(response: Response, *, status: int) -> list[str]:
    """Say what is wrong with an answer that should be this problem."""
    if response.status_code != status:
        return [f"{response.status_code} instead of {status}: {response.text[:200]}"]
    if response.request.method == "HEAD":
        return [*_about_headers(response)]
    return [*_about_headers(response), *_about_document(response)]


def _about_headers(response: Response) -> Iterator[str]:
    headers = response.headers
    if headers.get("content-type") != MEDIA_TYPE:
        yield f"media type {headers.get('content-type')}"
    for name, value in SECURITY_HEADERS.items():
        if headers.get(name) != value:
            yield f"{name}: {headers.get(name)}"
    if not headers.get("x-request-id"):
        yield "no X-Request-ID"
    if response.status_code == 401 and headers.get("www-authenticate") != "Bearer":
        yield "401 without WWW-Authenticate"


def _about_document(response: Response) -> Iterator[str]:
    text = response.text
    if SECRET in text:
        yield "holds the input"
    yield from (f"holds {thing!r}" for thing in _INNER_THINGS if thing in text)
    document = json.loads(text)
    code = document.get("code")
    if document.keys() != MEMBERS | FURTHER_MEMBERS.get(code, set()):
        yield f"members {sorted(document)}"
        return
    expected = {
        "status": response.status_code,
        "request_id": response.headers["x-request-id"],
        "instance": response.request.url.path,
    }
    for name, value in expected.items():
        if document[name] != value:
            yield f"{name} is {document[name]!r}, not {value!r}"
    if not document["type"].endswith(code):
        yield f"type {document['type']!r} does not end in {code!r}"
    for error in document.get("errors", []):
        yield from _about_field(error)


def _about_field(error: Any) -> Iterator[str]:
    if error.keys() != {"pointer", "code", "detail"}:
        yield f"an error's members {sorted(error)}"
    elif not error["pointer"].startswith(PLACES):
        yield f"a pointer to nowhere, {error['pointer']!r}"


def pointers(response: Response) -> list[str]:
    """Return where a 422 says that something is wrong."""
    return [error["pointer"] for error in response.json().get("errors", [])]


def without_identity(response: Response) -> tuple[int, dict[str, Any]]:
    """Return an answer as far as it may not differ between two requests."""
    document = response.json()
    varying = ("instance", "request_id")
    return response.status_code, {
        key: value for key, value in document.items() if key not in varying
    }
