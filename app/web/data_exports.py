"""Exports of personal data, as they are sent."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.models.data_exports import DataExportRow
from app.schemas.data_exports import PendingDataExport

RETRY_SECONDS = 5

PENDING: dict[int | str, dict[str, Any]] = {
    int(HTTPStatus.ACCEPTED): {
        "model": PendingDataExport,
        "description": "It is being made: come back after `Retry-After`, or the mail.",
        "headers": {"Retry-After": {"$ref": "#/components/headers/Retry-After"}},
    }
}
"""What OpenAPI says of an export that is not there yet."""


def data_export(found: AsyncIterator[bytes] | DataExportRow) -> Response:
    """Send the document, or say that it is being made."""
    if not isinstance(found, DataExportRow):
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": 'attachment; filename="data-export.json"',
        }
        return StreamingResponse(found, media_type="application/json", headers=headers)
    pending = PendingDataExport(
        status="pending",
        requested_at=found.requested_at,
        expires_at=found.expires_at,
    )
    return JSONResponse(
        pending.model_dump(mode="json"),
        HTTPStatus.ACCEPTED,
        {"Retry-After": str(RETRY_SECONDS)},
    )
