"""The auth API."""

from http import HTTPStatus

from app.dependencies import (
    Accounts,
    Auth,
    AuthLimit,
    GrantForm,
    Located,
    Sessions,
    Tokens,
)
from app.errors import (
    EmailTaken,
    InactiveUser,
    InvalidGrant,
    InvalidPassword,
    InvalidRequest,
    LastSuperuser,
    RefreshTokenReused,
    TooManyRequests,
    UnsupportedGrantType,
)
from app.models.users import User
from app.schemas.auth import (
    ChangePasswordRequest,
    DeleteAccountRequest,
    RegisterRequest,
    TokenResponse,
)
from app.schemas.users import UserResponse
from app.web.forms import TOKEN_FORM
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/auth",
    tags=["auth"],
    dependencies=[AuthLimit],
    responses=responses(TooManyRequests),
)


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
        InvalidRequest,
        UnsupportedGrantType,
        InvalidGrant,
        InactiveUser,
        RefreshTokenReused,
    ),
)
async def issue_token(tokens: Tokens, form: GrantForm) -> TokenResponse:
    """Exchange a password or a refresh token for new tokens (OAuth 2.0, RFC 6749)."""
    return await tokens.issue(form)


@router.post("/logout", status_code=HTTPStatus.NO_CONTENT)
async def log_out(sessions: Sessions) -> None:
    """End this session: its tokens are refused from now on."""
    await sessions.end_current()


@router.post(
    "/change-password",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidPassword),
)
async def change_password(accounts: Accounts, request: ChangePasswordRequest) -> None:
    """Change the password and end all other sessions."""
    await accounts.change_password(request)


@router.post(
    "/delete-account",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidPassword, LastSuperuser),
)
async def delete_account(accounts: Accounts, request: DeleteAccountRequest) -> None:
    """Erase one's account: personal data go, books that name its id stay."""
    await accounts.delete(request)
