"""Cross-origin requests of browsers, from the origins that the settings name."""

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from typing_extensions import override

from app.config import Settings
from app.errors import BadRequest
from app.middleware.asgi import App, Receive, Scope, Send, send_problem

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "X-API-Key",
    "X-Request-ID",
)
RESPONSE_HEADERS = (
    "Content-Disposition",
    "ETag",
    "Location",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)


class ProblemCORSMiddleware(CORSMiddleware):
    """Starlette's CORS, whose refusals are problem documents like all others."""

    def __init__(self, app: App, *, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.ALLOWED_ORIGINS,
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=RESPONSE_HEADERS,
        )

    @override
    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code == BadRequest.status:
            detail = "This cross-origin request is not allowed."
            raise BadRequest(detail, headers={"Vary": "Origin"})
        return response

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except BadRequest as refusal:
            await send_problem(refusal, scope, send)
