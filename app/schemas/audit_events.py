"""Bodies of the audit trail."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import MISSING, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import from_json

from app.models.changes import TARGET_TYPE_MAX, TYPE_MAX
from app.schemas.base import BaseSchema, Output
from app.schemas.lists import ListQuery, QueryTime, sortable

Action = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TYPE_MAX, pattern=r"^[a-z_.]+$"),
    Field(examples=["member.joined"]),
]
TargetType = Annotated[
    str,
    StringConstraints(min_length=1, max_length=TARGET_TYPE_MAX, pattern=r"^[a-z_]+$"),
    Field(examples=["member"]),
]


class AuditFilters(BaseSchema):
    """Which events are wanted: what is not sent is no condition."""

    model_config = ConfigDict(extra="forbid")

    actor_id: UUID | MISSING = Field(
        default=MISSING, description="The user or the API key that did it."
    )
    action: Action | MISSING = MISSING
    target_type: TargetType | MISSING = MISSING
    target_id: UUID | MISSING = Field(
        default=MISSING, description="What was changed; of a member, the user's id."
    )
    created_after: QueryTime | MISSING = Field(
        default=MISSING, description="At this time or later."
    )
    created_before: QueryTime | MISSING = Field(
        default=MISSING, description="Earlier than this."
    )

    def given(self) -> dict[str, Any]:
        """Return the filters that were sent."""
        names = AuditFilters.model_fields.keys()
        return self.model_dump(exclude_unset=True, include={*names})


class AuditQuery(ListQuery, AuditFilters):
    sort: Annotated[str, sortable("created_at")] = "-created_at"


class AuditActor(Output):
    type: Literal["user", "api_key", "system"] = Field(
        description="`system` is Zenith itself, in a job."
    )
    id: UUID | None
    label: str | None = Field(description="The name of the user or the key.")


class AuditImpersonator(Output):
    id: UUID
    label: str | None


class AuditTarget(Output):
    type: str = Field(examples=["member"])
    id: UUID
    label: str | None = Field(
        description="A name, or an invitation's address; null if nobody knows it now."
    )


class AuditChange(Output):
    before: Any = Field(alias="from")
    after: Any = Field(alias="to")


class AuditEventResponse(Output):
    id: UUID
    action: str = Field(examples=["member.joined"])
    actor: AuditActor
    impersonator: AuditImpersonator | None = Field(
        description="The superuser who acted as the user."
    )
    target: AuditTarget
    changes: Annotated[dict[str, AuditChange], BeforeValidator(from_json)] = Field(
        description='By field; `"***"` stands for a value that is not kept.'
    )
    request_id: str | None
    ip: str | None
    created_at: datetime
