"""Failures that come of the request, of who sends it, or of us."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from app.errors.base import FieldError, ZenithError


class BadRequest(ZenithError):
    """The request cannot be read."""

    status = HTTPStatus.BAD_REQUEST
    code = "bad_request"


class MalformedJSON(BadRequest):
    """The body is not JSON in UTF-8, or is nested too deep."""

    code = "malformed_json"


class UntrustedHost(BadRequest):
    """The Host header names a host that is not served here."""

    code = "untrusted_host"


class InvalidPassword(BadRequest):
    """The password that should confirm the request is wrong."""

    code = "invalid_password"


class InvalidToken(BadRequest):
    """The token of a mail is wrong, used, void or expired."""

    code = "invalid_token"


class AmbiguousCredentials(BadRequest):
    """An access token and an API key came at once: it is not clear who asks."""

    code = "ambiguous_credentials"


class OAuthError(BadRequest):
    """The token endpoint's kind of error, in RFC 6749's words as well (5.2)."""

    oauth_error: ClassVar[str]

    def __init__(self, detail: str) -> None:
        super().__init__(detail, extra=self.oauth_members(detail))

    @classmethod
    def oauth_members(cls, detail: str) -> dict[str, str]:
        return {"error": cls.oauth_error, "error_description": detail}


class InvalidRequest(OAuthError):
    """A token request lacks or repeats a parameter."""

    code = oauth_error = "invalid_request"


class UnsupportedGrantType(OAuthError):
    """The token endpoint does not know this grant."""

    code = oauth_error = "unsupported_grant_type"


class InvalidGrant(OAuthError):
    """The credentials are wrong."""

    code = oauth_error = "invalid_grant"


class InactiveUser(InvalidGrant):
    """The password is right and the account is switched off."""

    code = "inactive_user"


class RefreshTokenReused(InvalidGrant):
    """A refresh token was used twice, so it may be stolen: its session is ended."""

    commits = True


class Unauthorized(ZenithError):
    """The request carries no credentials that are valid now."""

    status = HTTPStatus.UNAUTHORIZED
    code = "unauthorized"

    def __init__(self, detail: str = "A valid access token is needed.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(ZenithError):
    """The caller is known and may not do this."""

    status = HTTPStatus.FORBIDDEN
    code = "forbidden"


class UserRequired(Forbidden):
    """An API key may not do this: it takes a person who has signed in."""

    code = "user_required"


class EmailNotVerified(Forbidden):
    """The address of the account has to be verified first."""

    code = "email_not_verified"


class NotFound(ZenithError):
    """There is no such thing here, or it belongs to somebody else."""

    status = HTTPStatus.NOT_FOUND
    code = "not_found"


class MethodNotAllowed(ZenithError):
    """The path exists and does not answer this method."""

    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"


class RequestTimeout(ZenithError):
    """The client did not send its request in time."""

    status = HTTPStatus.REQUEST_TIMEOUT
    code = "request_timeout"


class PreconditionFailed(ZenithError):
    """The resource has changed since the client read it (RFC 9110, 13.1.1)."""

    status = HTTPStatus.PRECONDITION_FAILED
    code = "precondition_failed"


class BodyTooLarge(ZenithError):
    """The body is larger than this endpoint accepts."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "body_too_large"


class TargetTooLong(ZenithError):
    """The path and the query of the request are too long together."""

    status = HTTPStatus.REQUEST_URI_TOO_LONG
    code = "target_too_long"


class UnsupportedMediaType(ZenithError):
    """The body is not of a media type that this endpoint reads."""

    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"


class ValidationFailed(ZenithError):
    """The request can be read and breaks a rule; ``errors`` says where."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "validation_failed"

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("The request breaks a rule of this endpoint.", errors=errors)


class TooManyRequests(ZenithError):
    """More requests came than the limit allows; ``Retry-After`` says when to go on."""

    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "rate_limited"


class HeadTooLarge(ZenithError):
    """The request line and the headers are too large together."""

    status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    code = "head_too_large"


class InternalError(ZenithError):
    """Zenith failed; the request id finds the cause in the log."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"


class Unavailable(ZenithError):
    """Something that Zenith needs does not answer now; try again later."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "unavailable"

    def __init__(self, detail: str, *, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "1"}, extra=extra)
