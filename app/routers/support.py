"""The API for superusers who help people."""

from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import SuperusersOnly, Support
from app.errors import Conflict, Forbidden
from app.models.organizations import OrganizationOutline
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.support import (
    AllOrganizationsQuery,
    ImpersonationResponse,
    OrganizationOutlineResponse,
)
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/admin",
    tags=["admin"],
    dependencies=[SuperusersOnly],
    responses=responses(Forbidden),
)


@router.get("/organizations", response_model=Page[OrganizationOutlineResponse])
async def get_all_organizations(
    support: Support, query: Annotated[AllOrganizationsQuery, Query()]
) -> Slice[OrganizationOutline]:
    """List all organizations, those too that are deleted and not cleared away yet."""
    return await support.page_of_organizations(query)


@router.post("/users/{user_id:uuid}/impersonate", responses=responses(Conflict))
async def impersonate_user(support: Support, user_id: UUID) -> ImpersonationResponse:
    """Act as a user for 15 minutes. They see it, and all that is done tells of it."""
    return await support.impersonate(user_id)
