"""Bodies of the sessions API."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.schemas.base import Output
from app.schemas.lists import ListQuery, sortable


class SessionQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "last_used_at", "expires_at")] = (
        "-created_at"
    )


class SessionResponse(Output):
    id: UUID
    device: str = Field(examples=["Firefox on Linux"])
    ip: str | None = Field(description="The address that it was last used from.")
    created_at: datetime
    last_used_at: datetime = Field(description="Exact to a minute.")
    expires_at: datetime = Field(description="Moves on when the session is used.")
    current: bool = Field(description="Whether this request belongs to it.")
