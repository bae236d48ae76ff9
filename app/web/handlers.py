"""Turns every exception into a problem document."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.db.errors import DATABASE_ERRORS, translate
from app.errors import (
    BadRequest,
    FieldError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    ValidationFailed,
    ZenithError,
)
from app.problems import MEDIA_TYPE, encode, pointer, problem
from app.telemetry import logs

MAX_ERRORS = 100

# Messages of Pydantic that quote the input, and what to say instead.
_QUOTING = {
    "uuid_parsing": "Input should be a valid UUID",
    "uuid_type": "Input should be a valid UUID",
    "value_error": "Input is not valid",
    "union_tag_invalid": "Input has an unknown tag",
    "url_parsing": "Input should be a valid URL",
    "datetime_from_date_parsing": "Input should be a valid datetime",
    "datetime_parsing": "Input should be a valid datetime",
    "date_from_datetime_parsing": "Input should be a valid date",
    "decimal_parsing": "Input should be a valid decimal",
}


class NotModified(Exception):
    """Leave the endpoint: the client has the current representation (RFC 9110)."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__()
        self.headers = headers


def install(app: FastAPI) -> None:
    """Give the application one road for all errors."""
    app.add_exception_handler(ZenithError, _on_zenith_error)
    app.add_exception_handler(NotModified, _on_not_modified)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(ClientDisconnect, _on_client_disconnect)
    for kind in DATABASE_ERRORS:
        app.add_exception_handler(kind, _on_database_error)


def respond(error: ZenithError, request: Request) -> Response:
    """Write an error as a response."""
    document = problem(
        error,
        instance=request.scope["path"],
        request_id=logs.request_id.get() or "",
    )
    return Response(
        encode(document), error.status, {**error.headers}, media_type=MEDIA_TYPE
    )


async def _on_zenith_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ZenithError)
    return respond(error, request)


async def _on_not_modified(_: Request, answer: Exception) -> Response:
    assert isinstance(answer, NotModified)
    return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={**answer.headers})


async def _on_database_error(request: Request, error: Exception) -> Response:
    expected = translate(error)
    if expected is None:
        raise error
    return respond(expected, request)


async def _on_client_disconnect(request: Request, _: Exception) -> Response:
    """Give the log a status; nobody is there to read it."""
    return respond(BadRequest("The client left before its request was whole."), request)


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = error.errors()
    if any(detail["loc"][0] == "path" for detail in details):
        return respond(NotFound("There is nothing at this path."), request)
    return respond(ValidationFailed(*_field_errors(details)), request)


def _field_errors(details: Iterable[Any]) -> list[FieldError]:
    return [
        FieldError(
            pointer(*detail["loc"]),
            detail["type"],
            _QUOTING.get(detail["type"], detail["msg"]),
        )
        for detail in list(details)[:MAX_ERRORS]
    ]


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer for the router: no such path, no such method, a body it could not read."""
    assert isinstance(error, HTTPException)
    # FastAPI wraps what the parser of the body raised.
    if isinstance(error.__cause__, ZenithError):
        return respond(error.__cause__, request)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return respond(NotFound("There is nothing at this path."), request)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return respond(_method_not_allowed(request), request)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return respond(BadRequest("The request cannot be read."), request)
    return respond(InternalError("Something went wrong here."), request)


def _method_not_allowed(request: Request) -> MethodNotAllowed:
    # The router's own answer names the methods of the first route at the path only.
    path = request.scope["path"]
    allowed = {
        method
        for route in iter_route_contexts(request.app.routes)
        if route.methods and route.path_regex.match(path)
        for method in route.methods
    }
    names = ", ".join(sorted(allowed)) or "GET, HEAD"  # of files, which have no route
    return MethodNotAllowed(f"This path answers {names}.", headers={"Allow": names})
