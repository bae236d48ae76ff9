"""Tables. Importing this package makes all of them known to the metadata."""

from app.models.base import Base
from app.models.devices import UserDevice
from app.models.email_tokens import EmailToken
from app.models.profiles import UserProfile
from app.models.sessions import UserSession
from app.models.users import User

__all__ = [
    "Base",
    "EmailToken",
    "User",
    "UserDevice",
    "UserProfile",
    "UserSession",
]
