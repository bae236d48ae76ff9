"""The headers of responses, in the API's description."""

from http import HTTPStatus
from typing import Any


def _header(description: str, example: str) -> dict[str, Any]:
    return {
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }


HEADERS = {
    "ETag": _header(
        "Names this state of the resource (RFC 9110): for `If-Match` and"
        " `If-None-Match`.",
        '"019a…-3-0.1.0"',
    ),
    "Location": _header("The path of the new resource.", "/api/v1/users/019a…"),
    "RateLimit": _header(
        "Requests that are left, and for how many seconds"
        " (draft-ietf-httpapi-ratelimit-headers); absent where limits are off.",
        '"requests";r=599;t=60',
    ),
    "RateLimit-Policy": _header(
        "Requests that are allowed in so many seconds.", '"requests";q=600;w=60'
    ),
    "Retry-After": _header("Seconds to wait.", "1"),
    "WWW-Authenticate": _header("How to authenticate.", "Bearer"),
    "X-Request-ID": _header("Finds the request in the log of the server.", "019a…"),
}

_LIMITS = ("RateLimit", "RateLimit-Policy")
_BY_STATUS = {
    HTTPStatus.CREATED: ("Location",),
    HTTPStatus.UNAUTHORIZED: ("WWW-Authenticate",),
    HTTPStatus.TOO_MANY_REQUESTS: ("Retry-After",),
    HTTPStatus.SERVICE_UNAVAILABLE: ("Retry-After",),
}
_WITH_BODY_OR_304 = (HTTPStatus.OK, HTTPStatus.CREATED, HTTPStatus.NOT_MODIFIED)


def document_headers(operation: dict[str, Any]) -> None:
    """Name the headers of each response of an operation that is otherwise complete."""
    parameters = {one["name"] for one in operation.get("parameters", [])}
    has_tag = bool(parameters & {"If-Match", "If-None-Match"})
    is_limited = str(int(HTTPStatus.TOO_MANY_REQUESTS)) in operation["responses"]
    for code, response in operation["responses"].items():
        status = HTTPStatus(int(code))
        names = ["X-Request-ID", *_BY_STATUS.get(status, ())]
        if has_tag and status in _WITH_BODY_OR_304:
            names.append("ETag")
        if is_limited and (code < "300" or status == HTTPStatus.TOO_MANY_REQUESTS):
            names += _LIMITS
        response["headers"] = response.get("headers", {}) | {
            name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)
        }
