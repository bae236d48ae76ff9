"""The invitations API: those to one's own address."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Query

from app.dependencies import OwnInvitations
from app.errors import (
    AlreadyMember,
    EmailNotVerified,
    Forbidden,
    InvitationExpired,
    InvitationUsed,
    NotFound,
    UserRequired,
)
from app.models.invitations import OwnInvitationRow
from app.models.organizations import MemberRow
from app.pagination import Slice
from app.schemas.auth import TokenOfMail
from app.schemas.base import Page
from app.schemas.invitations import OwnInvitationQuery, OwnInvitationResponse
from app.schemas.organizations import MemberResponse
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/invitations", tags=["invitations"], responses=responses(UserRequired)
)


@router.get("", response_model=Page[OwnInvitationResponse])
async def get_own_invitations(
    invitations: OwnInvitations, query: Annotated[OwnInvitationQuery, Query()]
) -> Slice[OwnInvitationRow]:
    """List the open invitations to one's own address; the tokens are in the mails."""
    return await invitations.page(query)


@router.post(
    "/accept",
    response_model=MemberResponse,
    responses=responses(
        EmailNotVerified,
        UserRequired,
        Forbidden,
        NotFound,
        InvitationUsed,
        AlreadyMember,
        InvitationExpired,
    ),
)
async def accept_invitation(
    invitations: OwnInvitations, request: TokenOfMail
) -> MemberRow:
    """Join an organization, with the token of the link in the mail."""
    return await invitations.accept(request)


@router.post(
    "/decline",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(Forbidden, NotFound, InvitationUsed, InvitationExpired),
)
async def decline_invitation(invitations: OwnInvitations, request: TokenOfMail) -> None:
    """Say no, with the token of the link in the mail."""
    await invitations.decline(request)
