"""Bodies of the auth API."""

from typing import Any, Literal

from pydantic import MISSING, Field

from app.schemas.base import BaseSchema, Input, Output
from app.schemas.types import Email, FullName, Password, PresentPassword


class RegisterRequest(Input):
    email: Email
    password: Password
    full_name: FullName


class PasswordGrant(BaseSchema):
    """The form of RFC 6749, 4.3.2."""

    username: str
    password: str


class RefreshTokenGrant(BaseSchema):
    """The form of RFC 6749, 6."""

    refresh_token: str


class TokenForm(BaseSchema):
    """What the token endpoint reads; other parameters are ignored, as OAuth 2 says."""

    grant_type: Literal["password", "refresh_token"]
    username: str | MISSING = Field(
        MISSING, description="Of the password grant: the e-mail address."
    )
    password: str | MISSING = Field(MISSING, description="Of the password grant.")
    refresh_token: str | MISSING = Field(
        MISSING, description="Of the refresh token grant."
    )


class TokenResponse(Output):
    access_token: str
    refresh_token: str = Field(description="Used once: the answer holds the next one.")
    token_type: Literal["bearer"]
    expires_in: int = Field(description="Seconds until the access token expires.")


class ChangePasswordRequest(Input):
    current_password: PresentPassword
    new_password: Password


class ChangeEmailRequest(Input):
    new_email: Email
    password: PresentPassword


class TokenOfMail(Input):
    token: str = Field(max_length=1000, description="Of the link in the mail.")


class ForgotPasswordRequest(Input):
    email: Email


class ResetPasswordRequest(TokenOfMail):
    password: Password


class DeleteAccountRequest(Input):
    password: PresentPassword


class JWKSResponse(Output):
    """A JSON Web Key Set (RFC 7517, 5); empty when tokens are signed with a secret."""

    keys: list[dict[str, Any]]
