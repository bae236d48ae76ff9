"""The API of exports of personal data."""

from fastapi import Response

from app.dependencies import DataExports
from app.errors import Forbidden, UserRequired
from app.schemas.data_exports import DataExportResponse
from app.web.data_exports import PENDING, data_export
from app.web.openapi import responses
from app.web.routing import Router

router = Router(tags=["users"])


@router.get(
    "/users/me/export",
    response_model=DataExportResponse,
    responses={**PENDING, **responses(Forbidden, UserRequired)},
)
async def export_own_data(exports: DataExports) -> Response:
    """Get all that is known of oneself, as a file.

    The first request begins to make it, and a mail tells when it is there. Then it can
    be fetched for 7 days; after them, a request begins a new one.
    """
    return data_export(await exports.get())
