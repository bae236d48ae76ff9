"""The form of the token endpoint, every fault of which is an error of RFC 6749."""

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

from app.errors import InvalidRequest, UnsupportedGrantType
from app.schemas.auth import PasswordGrant, RefreshTokenGrant, TokenForm
from app.web.routing import StrictRequest

MEDIA_TYPE = "application/x-www-form-urlencoded"
MAX_FIELDS = 100
MAX_BYTES = 32 * 1024  # to decode more would hold up everybody else

TOKEN_FORM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPE: {"schema": TokenForm.model_json_schema()}},
    }
}
"""What OpenAPI says of the form, which FastAPI does not read itself."""


async def read_grant(request: Request) -> PasswordGrant | RefreshTokenGrant:
    """Read the form; an empty parameter counts as left out (RFC 6749, 3.2)."""
    fields = await _read_form(request)
    grant_type = _required(fields, "grant_type")
    if grant_type == "password":
        return PasswordGrant(
            username=_required(fields, "username"),
            password=_required(fields, "password"),
        )
    if grant_type == "refresh_token":
        return RefreshTokenGrant(refresh_token=_required(fields, "refresh_token"))
    raise UnsupportedGrantType("The grants here are password and refresh_token.")


async def _read_form(request: Request) -> dict[str, str]:
    media_type = request.headers.get("content-type", "").partition(";")[0]
    if media_type.strip().lower() != MEDIA_TYPE:
        raise InvalidRequest(f"Send the parameters as {MEDIA_TYPE}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise InvalidRequest("Send the parameters as they are, not compressed.")
    assert isinstance(request, StrictRequest)
    raw = await request.raw_body()
    if len(raw) > MAX_BYTES:
        raise InvalidRequest(f"The form has more than {MAX_BYTES} bytes.")
    try:
        pairs = parse_qsl(
            raw.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise InvalidRequest("The form cannot be read.") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise InvalidRequest("A parameter stands there twice.")
    return fields


def _required(fields: dict[str, str], name: str) -> str:
    if not fields.get(name):
        raise InvalidRequest(f"The parameter {name} is missing.")
    return fields[name]
