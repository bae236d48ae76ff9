"""Bodies of the auth API."""

from typing import Any, Literal

from pydantic import Field

from app.schemas.base import BaseSchema, Input, Output
from app.schemas.types import Email, FullName, Password


class RegisterRequest(Input):
    email: Email
    password: Password
    full_name: FullName


class TokenRequest(BaseSchema):
    """The form of RFC 6749, 4.3.2; parameters that it does not name are ignored."""

    grant_type: Literal["password"]
    username: str = Field(description="The e-mail address.")
    password: str


class TokenResponse(Output):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds.")


class JWKSResponse(Output):
    """A JSON Web Key Set (RFC 7517, 5); empty when tokens are signed with a secret."""

    keys: list[dict[str, Any]]
