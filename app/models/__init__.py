"""Tables. Importing this package makes all of them known to the metadata."""

from app.models.base import Base
from app.models.sessions import UserSession
from app.models.users import User

__all__ = ["Base", "User", "UserSession"]
