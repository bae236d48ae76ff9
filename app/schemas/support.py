"""Bodies of the API for superusers who help people."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import MISSING, Field

from app.schemas.base import Output
from app.schemas.lists import ListQuery, SearchText, sortable


class AllOrganizationsQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "name", "slug")] = "-created_at"
    q: SearchText | MISSING = MISSING


class OrganizationOutlineResponse(Output):
    id: UUID
    name: str
    slug: str
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = Field(
        description="Since when it is gone for its members; its data are going."
    )


class ImpersonationResponse(Output):
    access_token: str
    token_type: Literal["bearer"]
    expires_in: int = Field(
        description="Seconds until the access token expires; there is no refresh token."
    )
