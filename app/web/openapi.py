"""The API's description: every operation tells which errors it can answer."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.errors import (
    AmbiguousCredentials,
    BadRequest,
    BodyTooLarge,
    InternalError,
    MalformedJSON,
    NotFound,
    OAuthError,
    PreconditionFailed,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    UntrustedHost,
    UserRequired,
    ValidationFailed,
    ZenithError,
)
from app.policy import OPERATIONS, Within
from app.problems import MEDIA_TYPE, outline
from app.schemas.problems import Problem
from app.web.forms import MEDIA_TYPE as FORM
from app.web.openapi_headers import HEADERS, document_headers

Operation = dict[str, Any]
ErrorType = type[ZenithError]

_ALWAYS = (BadRequest, UntrustedHost, InternalError, Unavailable)
_WITH_BODY = (MalformedJSON, BodyTooLarge, UnsupportedMediaType, ValidationFailed)
_WITH_FILE = (BodyTooLarge, UnsupportedMediaType, ValidationFailed)
KEY_SCHEME = "APIKeyHeader"
_SCHEMA = {"$ref": "#/components/schemas/Problem"}
_METHODS = frozenset({"get", "post", "put", "patch", "delete"})


DESCRIPTION = """\
**Signing in:** `POST /auth/token` is a token endpoint of OAuth 2.0. A refresh token is
used once; the answer holds the next one. Programs send an API key as `X-API-Key`
instead, which opens paths of its organization.

**Errors** are problem documents (RFC 9457): programs read `code`, and `errors` points
at what is wrong.

**Lists** have pages by number (`page`, up to row 10,000) and by cursor (`cursor`, at
any depth).

**Changes:** send the `ETag` of what you have read as `If-Match`; the answer is a 412 if
somebody else was faster.

**Limits:** a 429 and a 503 say in `Retry-After` how many seconds to wait.
"""
TAGS = [
    {"name": "users", "description": "Accounts: one's own, and all for superusers."},
    {"name": "organizations", "description": "The tenants: one's own organizations."},
    {"name": "members", "description": "Who belongs to an organization."},
    {"name": "invitations", "description": "Asking others to join, and being asked."},
    {"name": "api-keys", "description": "What programs use an organization with."},
    {"name": "audit", "description": "What was changed, by whom, and from where."},
    {"name": "auth", "description": "Signing up and in, sessions, one's password."},
    {"name": "admin", "description": "Seeing to the system; for superusers."},
    {"name": "operations", "description": "Health, readiness and metrics."},
]


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
        _add_permission(operation)
        _add_shared_errors(operation)
        document_headers(operation)
    components["headers"] = HEADERS
    flow = components["securitySchemes"]["OAuth2PasswordBearer"]["flows"]["password"]
    flow["tokenUrl"] = flow["refreshUrl"] = token_url
    return document


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for item in document["paths"].values():
        yield from (item[method] for method in item if method in _METHODS)


def _add_permission(operation: Operation) -> None:
    """Tell what the policy asks for; the suite holds the code to it."""
    rule = OPERATIONS.get(operation["operationId"])
    if not isinstance(rule, Within):
        return
    text = f"Needs the permission `{rule.permission}`"
    text += " unless it is about oneself." if rule.or_oneself else "."
    operation["description"] += f"\n\n{text}"
    if not rule.keys:
        security = operation["security"]
        operation["security"] = [one for one in security if KEY_SCHEME not in one]


def _errors_of_credentials(operation: Operation) -> list[ErrorType]:
    if "security" not in operation:
        return []
    errors: list[ErrorType] = [AmbiguousCredentials, Unauthorized, TooManyRequests]
    if not any(KEY_SCHEME in one for one in operation["security"]):
        errors.append(UserRequired)
    return errors


def _add_shared_errors(operation: Operation) -> None:
    errors: list[ErrorType] = [*_ALWAYS, *_errors_of_credentials(operation)]
    names = {(one["in"], one["name"]) for one in operation.get("parameters", [])}
    places = {place for place, _ in names}
    if ("header", "If-Match") in names:
        errors.append(PreconditionFailed)
    if ("header", "If-None-Match") in names:
        operation["responses"]["304"] = {"description": "The client has it already."}
    if "path" in places:
        errors.append(NotFound)
    if "query" in places:
        errors.append(ValidationFailed)
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content:
        errors.extend(_WITH_BODY)
    elif content:
        errors.extend([BodyTooLarge] if FORM in content else _WITH_FILE)
    # FastAPI's own 422, in a shape that is not ours.
    operation["responses"].pop("422", None)
    for status, shared in responses(*errors).items():
        own = operation["responses"].setdefault(str(status), shared)
        if own is not shared:
            _merge(own, shared)


def _merge(own: dict[str, Any], shared: dict[str, Any]) -> None:
    lines = [*own["description"].split("\n"), *shared["description"].split("\n")]
    own["description"] = "\n".join(dict.fromkeys(lines))
    own["content"][MEDIA_TYPE]["examples"] = _examples(own) | _examples(shared)


def _examples(response: dict[str, Any]) -> dict[str, Any]:
    examples: dict[str, Any] = response["content"][MEDIA_TYPE]["examples"]
    return examples


def _response(errors: list[ErrorType]) -> dict[str, Any]:
    examples = {kind.__name__: {"value": _example(kind)} for kind in errors}
    return {
        "description": "\n".join(f"`{kind.code}`: {_text(kind)}" for kind in errors),
        "content": {MEDIA_TYPE: {"schema": _SCHEMA, "examples": examples}},
    }


def _example(kind: ErrorType) -> dict[str, Any]:
    detail = _text(kind)
    members = kind.oauth_members(detail) if issubclass(kind, OAuthError) else {}
    return outline(kind, detail, instance="/…", request_id="019a…") | members


def _text(kind: ErrorType) -> str:
    """Return the docstring of an error in Markdown, which OpenAPI is read as."""
    return (kind.__doc__ or "").replace("``", "`")
