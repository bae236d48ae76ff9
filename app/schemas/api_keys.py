"""Bodies of the API keys API."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from app.models.base import utc_now
from app.models.organizations import NAME_MAX
from app.policy import Permission
from app.schemas.base import Input, Output
from app.schemas.lists import ListQuery, QueryTime, sortable
from app.schemas.types import NameRules

# The driver takes the last microsecond of all for PostgreSQL's "infinity".
_LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)


def _text(value: Any) -> Any:
    if not isinstance(value, str):  # Pydantic would count seconds
        raise PydanticCustomError("datetime_type", "Write a time of RFC 3339 as text")
    return value


def _to_come(time: datetime) -> datetime:
    if time <= utc_now():
        raise PydanticCustomError("not_in_future", "This time is over")
    return min(time, _LATEST)


def _each_once(scopes: list[Permission]) -> list[Permission]:
    if len(set(scopes)) < len(scopes):
        raise PydanticCustomError("repeated_scope", "Name each scope once")
    return scopes


KeyName = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=NAME_MAX),
    AfterValidator(NameRules(NAME_MAX)),
    Field(examples=["Warehouse robot"]),
]
FutureTime = Annotated[
    QueryTime,
    BeforeValidator(_text),
    AfterValidator(_to_come),
    Field(strict=False, examples=["2099-12-31T12:00:00Z"]),
]
Scopes = Annotated[
    list[Annotated[Permission, Field(strict=False)]],
    AfterValidator(_each_once),
    Field(
        min_length=1,
        max_length=len(Permission),
        json_schema_extra={"uniqueItems": True},
        examples=[["products:read", "orders:read"]],
    ),
]


class ApiKeyQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "name")] = "-created_at"


class ApiKeyCreate(Input):
    name: KeyName
    scopes: Scopes = Field(
        description="What it may do: permissions that one has oneself, and for as long."
    )
    expires_at: FutureTime | None = Field(
        default=None, description="Without it, the key is good until it is revoked."
    )


class ApiKeyResponse(Output):
    id: UUID
    name: str
    prefix: str = Field(description="How the key begins, to tell it from others.")
    last_four: str = Field(description="How it ends.")
    scopes: Sequence[str]
    expires_at: datetime | None
    last_used_at: datetime | None = Field(description="Exact to a minute.")
    created_at: datetime


class NewApiKeyResponse(ApiKeyResponse):
    key: str = Field(description="To be sent as `X-API-Key`; never shown again.")
