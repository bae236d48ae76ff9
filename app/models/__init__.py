"""Tables. Importing this package makes all of them known to the metadata."""

from app.models.api_keys import ApiKey
from app.models.base import Base
from app.models.changes import AuditEvent, OutboxEvent
from app.models.data_exports import DataExport
from app.models.devices import UserDevice
from app.models.email_tokens import EmailToken
from app.models.invitations import Invitation
from app.models.organizations import Membership, Organization
from app.models.profiles import UserProfile
from app.models.sessions import UserSession
from app.models.users import User

__all__ = [
    "ApiKey",
    "AuditEvent",
    "Base",
    "DataExport",
    "EmailToken",
    "Invitation",
    "Membership",
    "Organization",
    "OutboxEvent",
    "User",
    "UserDevice",
    "UserProfile",
    "UserSession",
]
