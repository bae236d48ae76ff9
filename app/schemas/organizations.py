"""Bodies of the organizations API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import MISSING, AfterValidator, Field, StringConstraints

from app.models.organizations import NAME_MAX, SLUG_MAX
from app.policy import Role
from app.schemas.base import Input, Output, Patch
from app.schemas.lists import ListQuery, sortable
from app.schemas.types import NameRules

OrganizationName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX),
    AfterValidator(NameRules(NAME_MAX)),
    Field(examples=["Analytical Engines Ltd"]),
]
Slug = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=SLUG_MAX, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"
    ),
    Field(examples=["analytical-engines"]),
]
RoleName = Annotated[Role, Field(strict=False)]
Id = Annotated[UUID, Field(strict=False)]


class OrganizationQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "name")] = "-created_at"


class OrganizationCreate(Input):
    name: OrganizationName
    slug: Slug | MISSING = Field(
        default=MISSING, description="Made from the name, if it is not given."
    )


class OrganizationUpdate(Patch):
    name: OrganizationName | MISSING = MISSING
    slug: Slug | MISSING = MISSING


class OrganizationResponse(Output):
    id: UUID
    name: str
    slug: str
    role: Role = Field(description="What the caller is in it.")
    created_at: datetime
    updated_at: datetime


class OwnershipTransfer(Input):
    user_id: Id = Field(description="The member who is to be an owner instead.")


class MemberQuery(ListQuery):
    sort: Annotated[str, sortable("joined_at", "full_name")] = "-joined_at"


class MemberUpdate(Patch):
    role: RoleName


class MemberResponse(Output):
    user_id: UUID
    email: str
    full_name: str
    role: Role
    joined_at: datetime
