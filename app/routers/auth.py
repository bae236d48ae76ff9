"""The auth API."""

from http import HTTPStatus

from app.dependencies import (
    Accounts,
    Auth,
    AuthLimit,
    EmailAddresses,
    GrantForm,
    Located,
    Recovery,
    Sessions,
    Tokens,
    Verification,
)
from app.errors import (
    EmailTaken,
    Forbidden,
    InactiveUser,
    InvalidGrant,
    InvalidPassword,
    InvalidRequest,
    InvalidToken,
    LastOwner,
    LastSuperuser,
    RefreshTokenReused,
    TooManyRequests,
    UnsupportedGrantType,
)
from app.models.users import User
from app.schemas.auth import (
    ChangeEmailRequest,
    ChangePasswordRequest,
    DeleteAccountRequest,
    ForgotPasswordRequest,
    RegisterRequest,
    ResetPasswordRequest,
    TokenOfMail,
    TokenResponse,
)
from app.schemas.users import UserResponse
from app.web.forms import TOKEN_FORM
from app.web.openapi import responses
from app.web.routing import ACCEPTED, Router

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
    "/verify-email",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidToken, EmailTaken),
)
async def verify_email(verification: Verification, request: TokenOfMail) -> None:
    """Verify an address, or a new one, with the token that was mailed to it."""
    await verification.verify(request)


@router.post("/verify-email/resend", **ACCEPTED, responses=responses(Forbidden))
async def resend_verification(emails: EmailAddresses) -> None:
    """Mail the link to verify one's address again; the one before is void."""
    await emails.resend()


@router.post(
    "/change-email", **ACCEPTED, responses=responses(InvalidPassword, Forbidden)
)
async def change_email(emails: EmailAddresses, request: ChangeEmailRequest) -> None:
    """Mail a link to a new address, which is one's own when the link is followed."""
    await emails.change(request)


@router.post("/forgot-password", **ACCEPTED)
async def forgot_password(recovery: Recovery, request: ForgotPasswordRequest) -> None:
    """Mail a link to reset the password, if the address has an account."""
    await recovery.forgot(request)


@router.post(
    "/reset-password",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidToken),
)
async def reset_password(recovery: Recovery, request: ResetPasswordRequest) -> None:
    """Set a new password with the token that was mailed, and end all sessions."""
    await recovery.reset(request)


@router.post(
    "/change-password",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidPassword, Forbidden),
)
async def change_password(accounts: Accounts, request: ChangePasswordRequest) -> None:
    """Change the password and end all other sessions."""
    await accounts.change_password(request)


@router.post(
    "/delete-account",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvalidPassword, Forbidden, LastSuperuser, LastOwner),
)
async def delete_account(accounts: Accounts, request: DeleteAccountRequest) -> None:
    """Erase one's account: personal data go, books that name its id stay."""
    await accounts.delete(request)
