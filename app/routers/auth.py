"""The auth API."""

from http import HTTPStatus

from app.dependencies import Auth, Located, TokenForm
from app.errors import (
    EmailTaken,
    InactiveUser,
    InvalidGrant,
    InvalidRequest,
    UnsupportedGrantType,
)
from app.models.users import User
from app.schemas.auth import RegisterRequest, TokenResponse
from app.schemas.users import UserResponse
from app.web.forms import TOKEN_FORM
from app.web.openapi import responses
from app.web.routing import Router

router = Router(prefix="/auth", tags=["auth"])


@router.post(
    "/register",
    response_model=UserResponse,
    status_code=HTTPStatus.CREATED,
    responses=responses(EmailTaken),
)
async def register(auth: Auth, located: Located, new: RegisterRequest) -> User:
    """Create an account."""
    return located(await auth.register(new), below="/users")


@router.post(
    "/token",
    openapi_extra=TOKEN_FORM,
    responses=responses(
        InvalidRequest, UnsupportedGrantType, InvalidGrant, InactiveUser
    ),
)
async def issue_token(auth: Auth, form: TokenForm) -> TokenResponse:
    """Exchange credentials for an access token (OAuth 2.0, RFC 6749)."""
    return await auth.issue_token(form)
