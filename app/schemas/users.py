"""Bodies of the users API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import MISSING

from app.schemas.base import Input, Output, Patch
from app.schemas.lists import ListQuery, QueryBool, SearchText, sortable
from app.schemas.types import Email, FullName, Password


class UserQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "email", "full_name")] = "-created_at"
    q: SearchText | MISSING = MISSING
    is_active: QueryBool | MISSING = MISSING
    is_superuser: QueryBool | MISSING = MISSING


class UserCreate(Input):
    email: Email
    password: Password
    full_name: FullName
    is_active: bool = True
    is_superuser: bool = False


class OwnUserUpdate(Patch):
    full_name: FullName | MISSING = MISSING


class UserUpdate(OwnUserUpdate):
    is_active: bool | MISSING = MISSING
    is_superuser: bool | MISSING = MISSING


class UserResponse(Output):
    id: UUID
    email: str
    full_name: str
    is_active: bool
    is_superuser: bool
    email_verified: bool
    created_at: datetime
    updated_at: datetime
