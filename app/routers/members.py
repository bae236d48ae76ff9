"""The members API."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import Members
from app.errors import Forbidden, LastOwner
from app.models.organizations import MemberRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.organizations import MemberQuery, MemberResponse, MemberUpdate
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/organizations/{organization_id:uuid}/members",
    tags=["members"],
    responses=responses(Forbidden),
)


@router.get("", response_model=Page[MemberResponse])
async def get_members(
    members: Members, query: Annotated[MemberQuery, Query()]
) -> Slice[MemberRow]:
    """List the members of an organization."""
    return await members.page(query)


@router.patch(
    "/{user_id:uuid}",
    response_model=MemberResponse,
    responses=responses(LastOwner),
)
async def update_member(
    members: Members, user_id: UUID, patch: MemberUpdate
) -> MemberRow:
    """Give a member another role, up to one's own."""
    return await members.update(user_id, patch)


@router.delete(
    "/{user_id:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(LastOwner),
)
async def remove_member(members: Members, user_id: UUID) -> None:
    """Remove a member; to remove oneself is to leave, which everybody may."""
    await members.remove(user_id)
