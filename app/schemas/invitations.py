"""Bodies of the invitations API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.models.invitations import InvitationStatus
from app.policy import Role
from app.schemas.base import Input, Output
from app.schemas.lists import ListQuery, sortable
from app.schemas.organizations import RoleName
from app.schemas.types import Email


class InvitationQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "email")] = "-created_at"


class InvitationCreate(Input):
    email: Email
    role: RoleName = Field(description="What they are to be, up to one's own role.")


class InvitationResponse(Output):
    id: UUID
    email: str
    role: Role
    status: InvitationStatus
    expires_at: datetime
    created_at: datetime


class OwnInvitationQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "expires_at")] = "-created_at"


class InvitingOrganization(Output):
    id: UUID
    name: str


class OwnInvitationResponse(InvitationResponse):
    organization: InvitingOrganization
