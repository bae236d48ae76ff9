"""The invitations API: those that an organization sends."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import Invitations, Located
from app.errors import (
    AlreadyInvited,
    AlreadyMember,
    Conflict,
    Forbidden,
    InvitationUsed,
)
from app.models.invitations import Invitation, InvitationRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.invitations import (
    InvitationCreate,
    InvitationQuery,
    InvitationResponse,
)
from app.web.openapi import responses
from app.web.routing import ACCEPTED, Router

router = Router(
    prefix="/organizations/{organization_id:uuid}/invitations",
    tags=["invitations"],
    responses=responses(Forbidden),
)


@router.get("", response_model=Page[InvitationResponse])
async def get_invitations(
    invitations: Invitations, query: Annotated[InvitationQuery, Query()]
) -> Slice[InvitationRow]:
    """List the invitations of an organization, those that are not open too."""
    return await invitations.page(query)


@router.post(
    "",
    response_model=InvitationResponse,
    status_code=HTTPStatus.CREATED,
    responses=responses(AlreadyInvited, AlreadyMember),
)
async def create_invitation(
    invitations: Invitations,
    new: InvitationCreate,
    organization_id: UUID,
    located: Located,
) -> Invitation:
    """Invite somebody, by a mail with a link that is good for 7 days, and once."""
    return located(
        await invitations.create(new),
        below=f"/organizations/{organization_id}/invitations",
    )


@router.delete(
    "/{invitation_id:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(InvitationUsed),
)
async def revoke_invitation(invitations: Invitations, invitation_id: UUID) -> None:
    """Take an invitation back: its link is good no more."""
    await invitations.revoke(invitation_id)


@router.post(
    "/{invitation_id:uuid}/resend",
    **ACCEPTED,
    responses=responses(InvitationUsed, AlreadyMember, Conflict),
)
async def resend_invitation(invitations: Invitations, invitation_id: UUID) -> None:
    """Mail another link, good for 7 days from now; the one before is void."""
    await invitations.resend(invitation_id)
