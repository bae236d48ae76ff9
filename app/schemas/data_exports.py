"""What Zenith knows of a person, as they get it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from app.schemas.base import Output


class PendingDataExport(Output):
    """An export that is being made; a mail tells when it is there."""

    status: Literal["pending"]
    requested_at: datetime
    expires_at: datetime = Field(description="Then a new request begins a new one.")


class ExportedAccount(Output):
    id: UUID
    email: str
    email_verified_at: datetime | None
    full_name: str
    is_active: bool
    is_superuser: bool
    created_at: datetime
    updated_at: datetime


class ExportedProfile(Output):
    locale: str
    time_zone: str
    has_avatar: bool


class ExportedSession(Output):
    id: UUID
    device: str
    ip: str | None = Field(description="Null where a superuser acts as the person.")
    by_superuser: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime


class ExportedDevice(Output):
    device: str
    last_seen_at: datetime


class ExportedLink(Output):
    purpose: str = Field(examples=["verify_email"])
    email: str = Field(description="The address that it was mailed to.")
    created_at: datetime
    expires_at: datetime


class ExportedMembership(Output):
    id: UUID
    name: str
    slug: str
    role: str
    joined_at: datetime


class ExportedInvitation(Output):
    id: UUID
    organization_id: UUID
    organization_name: str
    role: str
    status: str
    created_at: datetime
    expires_at: datetime


class ExportedApiKey(Output):
    id: UUID
    organization_id: UUID
    name: str
    prefix: str
    last_four: str
    scopes: Sequence[str]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None


class ExportedActor(Output):
    type: str
    id: UUID | None
    by_superuser: bool = Field(description="Whether one acted as them.")


class ExportedTarget(Output):
    type: str
    id: UUID
    label: str | None


class ExportedAuditEvent(Output):
    id: UUID
    organization_id: UUID
    action: str = Field(examples=["member.joined"])
    actor: ExportedActor
    target: ExportedTarget
    changes: Mapping[str, Any]
    request_id: str | None
    ip: str | None = Field(description="Null where somebody else has acted.")
    created_at: datetime


class DataExportResponse(Output):
    """All that is known of a person. Lists begin with the oldest."""

    exported_at: datetime
    account: ExportedAccount
    profile: ExportedProfile
    sessions: Sequence[ExportedSession]
    devices: Sequence[ExportedDevice]
    mailed_links: Sequence[ExportedLink] = Field(
        description="Of mails, which have not been followed."
    )
    organizations: Sequence[ExportedMembership]
    invitations: Sequence[ExportedInvitation]
    api_keys: Sequence[ExportedApiKey]
    audit_events: Sequence[ExportedAuditEvent] = Field(
        description="What they did, or was done to them, by organization."
    )
