"""The API of the audit trail."""

from typing import Annotated

from fastapi import Query

from app.dependencies import AuditEvents, SuperusersOnly, SystemAuditEvents
from app.errors import Forbidden
from app.models.changes import AuditRow
from app.pagination import Slice
from app.schemas.audit_events import AuditEventResponse, AuditFilters, AuditQuery
from app.schemas.base import Page
from app.web.downloads import CSVResponse
from app.web.openapi import responses
from app.web.routing import Router

WITHIN = "/organizations/{organization_id:uuid}/audit-events"

router = Router(responses=responses(Forbidden))


@router.get(WITHIN, response_model=Page[AuditEventResponse], tags=["audit"])
async def get_audit_events(
    events: AuditEvents, query: Annotated[AuditQuery, Query()]
) -> Slice[AuditRow]:
    """List what was changed in an organization, by whom and from where."""
    return await events.page(query)


@router.get(f"{WITHIN}/export", response_class=CSVResponse, tags=["audit"])
async def export_audit_events(
    events: AuditEvents, filters: Annotated[AuditFilters, Query()]
) -> CSVResponse:
    """Export the same as CSV, all of it, the newest first.

    A cell that a spreadsheet would run begins with an apostrophe.
    """
    return CSVResponse(await events.export(filters), filename="audit-events.csv")


@router.get(
    "/admin/audit-events",
    response_model=Page[AuditEventResponse],
    tags=["admin"],
    dependencies=[SuperusersOnly],
)
async def get_system_audit_events(
    events: SystemAuditEvents, query: Annotated[AuditQuery, Query()]
) -> Slice[AuditRow]:
    """List what was changed in no organization, as accounts; for superusers."""
    return await events.page(query)
