"""The organizations API."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from app.dependencies import (
    IfMatchHeader,
    Located,
    OneOrganization,
    OwnOrganizations,
    Revalidated,
    Tagged,
)
from app.errors import Forbidden, LastOwner, LimitReached, SlugTaken, UserRequired
from app.models.organizations import SLUG_MAX, MemberRow, OrganizationRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.organizations import (
    MemberResponse,
    OrganizationCreate,
    OrganizationQuery,
    OrganizationResponse,
    OrganizationUpdate,
    OwnershipTransfer,
)
from app.web.openapi import responses
from app.web.routing import ACCEPTED, Router

router = Router(prefix="/organizations", tags=["organizations"])


@router.get("", response_model=Page[OrganizationResponse])
async def get_organizations(
    organizations: OwnOrganizations, query: Annotated[OrganizationQuery, Query()]
) -> Slice[OrganizationRow]:
    """List the organizations that one is a member of."""
    return await organizations.page(query)


@router.post(
    "",
    response_model=OrganizationResponse,
    status_code=HTTPStatus.CREATED,
    responses=responses(SlugTaken, LimitReached),
)
async def create_organization(
    organizations: OwnOrganizations,
    new: OrganizationCreate,
    located: Located,
    tagged: Tagged,
) -> OrganizationRow:
    """Found an organization, and be its owner."""
    return tagged(located(await organizations.create(new), below="/organizations"))


@router.get(
    "/{organization_id:uuid}",
    response_model=OrganizationResponse,
    responses=responses(Forbidden),
)
async def get_organization(
    organization: OneOrganization, revalidated: Revalidated
) -> OrganizationRow:
    """Get an organization that one is a member of."""
    return revalidated(await organization.get())


@router.patch(
    "/{organization_id:uuid}",
    response_model=OrganizationResponse,
    responses=responses(Forbidden, SlugTaken),
)
async def update_organization(
    organization: OneOrganization,
    patch: OrganizationUpdate,
    match: IfMatchHeader,
    tagged: Tagged,
) -> OrganizationRow:
    """Change the fields that are sent."""
    return tagged(await organization.update(patch, match))


@router.delete("/{organization_id:uuid}", **ACCEPTED, responses=responses(Forbidden))
async def delete_organization(
    organization: OneOrganization,
    match: IfMatchHeader,
    slug: Annotated[
        str | None,
        Query(max_length=SLUG_MAX, description="That of the organization, to be sure."),
    ] = None,
) -> None:
    """Delete an organization, for good: its data are cleared away by and by."""
    await organization.delete(slug, match)


@router.post(
    "/{organization_id:uuid}/transfer",
    response_model=MemberResponse,
    responses=responses(Forbidden, UserRequired, LastOwner),
)
async def transfer_organization(
    organization: OneOrganization, to: OwnershipTransfer
) -> MemberRow:
    """Make another member an owner in one's own place; one stays as an admin."""
    return await organization.transfer(to)
