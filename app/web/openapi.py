"""The API's description: every operation tells which errors it can answer."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.errors import (
    BadRequest,
    BodyTooLarge,
    InternalError,
    MalformedJSON,
    NotFound,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    UntrustedHost,
    ValidationFailed,
    ZenithError,
)
from app.problems import MEDIA_TYPE, outline
from app.schemas.problems import Problem

Operation = dict[str, Any]
ErrorType = type[ZenithError]

_ALWAYS = (BadRequest, UntrustedHost, InternalError, Unavailable)
_WITH_BODY = (MalformedJSON, BodyTooLarge, UnsupportedMediaType, ValidationFailed)
_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


def responses(*errors: ErrorType) -> dict[int | str, dict[str, Any]]:
    """Document errors on a route: ``responses=responses(EmailTaken)``."""
    by_status: dict[int, list[ErrorType]] = {}
    for error in errors:
        by_status.setdefault(error.status, []).append(error)
    return {int(status): _response(kinds) for status, kinds in by_status.items()}


def describe(app: FastAPI, *, token_url: str) -> dict[str, Any]:
    """Write the OpenAPI document, with the errors that every operation shares."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
    )
    components = document["components"]
    schemas = components["schemas"]
    schemas["Problem"] = Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    schemas |= schemas["Problem"].pop("$defs", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operation in operations(document):
        _add_shared_errors(operation)
    flows = components["securitySchemes"]["OAuth2PasswordBearer"]["flows"]
    flows["password"]["tokenUrl"] = token_url
    return document


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for item in document["paths"].values():
        yield from (item[method] for method in item if method in _METHODS)


def _add_shared_errors(operation: Operation) -> None:
    errors: list[ErrorType] = [*_ALWAYS]
    parameters = operation.get("parameters", [])
    if "security" in operation:
        errors.append(Unauthorized)
    if any(parameter["in"] == "path" for parameter in parameters):
        errors.append(NotFound)
    if any(parameter["in"] == "query" for parameter in parameters):
        errors.append(ValidationFailed)
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        errors.extend(_WITH_BODY if "application/json" in content else [BodyTooLarge])
    # FastAPI's own 422, in a shape that is not ours.
    operation["responses"].pop("422", None)
    for status, shared in responses(*errors).items():
        own = operation["responses"].setdefault(str(status), shared)
        if own is not shared:
            _merge(own, shared)


def _merge(own: dict[str, Any], shared: dict[str, Any]) -> None:
    own["description"] = "\n".join([own["description"], shared["description"]])
    own["content"][MEDIA_TYPE]["examples"] |= shared["content"][MEDIA_TYPE]["examples"]


def _response(errors: list[ErrorType]) -> dict[str, Any]:
    return {
        "description": "\n".join(f"`{e.code}`: {e.__doc__}" for e in errors),
        "content": {
            MEDIA_TYPE: {
                "schema": _SCHEMA,
                "examples": {kind.code: {"value": _example(kind)} for kind in errors},
            }
        },
    }


def _example(kind: ErrorType) -> dict[str, Any]:
    return outline(kind, kind.__doc__ or "", instance="/…", request_id="019a…")
