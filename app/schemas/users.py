"""Bodies of the users API."""

from datetime import datetime
from uuid import UUID

from pydantic import MISSING

from app.schemas.base import Output, Patch
from app.schemas.types import FullName


class UserUpdate(Patch):
    full_name: FullName | MISSING = MISSING


class UserResponse(Output):
    id: UUID
    email: str
    full_name: str
    is_active: bool
    is_superuser: bool
    email_verified: bool
    created_at: datetime
    updated_at: datetime
