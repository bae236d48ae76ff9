"""Events about organizations, and who and what belongs to them."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from app.events.base import EventData, EventType


class OrganizationData(EventData):
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime


class MemberData(EventData):
    """A member, whose ``id`` is that of the user."""

    id: UUID = Field(validation_alias="user_id")
    role: str
    joined_at: datetime = Field(validation_alias="created_at")


class InvitationData(EventData):
    email: str
    role: str
    status: str
    expires_at: datetime
    created_at: datetime


class ApiKeyData(EventData):
    name: str
    prefix: str
    last_four: str
    scopes: list[str]
    created_by: UUID
    expires_at: datetime | None
    created_at: datetime


ORGANIZATION_CREATED = EventType(
    "organization.created", OrganizationData, "An organization was founded."
)
ORGANIZATION_UPDATED = EventType(
    "organization.updated", OrganizationData, "Its name or its slug was changed."
)
ORGANIZATION_DELETED = EventType(
    "organization.deleted", OrganizationData, "It is gone, and its data are going."
)
MEMBER_JOINED = EventType("member.joined", MemberData, "Somebody is a member now.")
MEMBER_UPDATED = EventType("member.updated", MemberData, "A member has another role.")
MEMBER_LEFT = EventType("member.left", MemberData, "A member has left, or was removed.")
INVITATION_CREATED = EventType(
    "invitation.created", InvitationData, "Somebody was invited."
)
INVITATION_RESENT = EventType(
    "invitation.resent", InvitationData, "The invitation was mailed again."
)
INVITATION_ACCEPTED = EventType(
    "invitation.accepted", InvitationData, "Its addressee has joined."
)
INVITATION_DECLINED = EventType(
    "invitation.declined", InvitationData, "Its addressee does not want to join."
)
INVITATION_REVOKED = EventType(
    "invitation.revoked", InvitationData, "It was taken back."
)
API_KEY_CREATED = EventType("api_key.created", ApiKeyData, "A key was made.")
API_KEY_REVOKED = EventType(
    "api_key.revoked", ApiKeyData, "A key is good no more; its creator may have left."
)
