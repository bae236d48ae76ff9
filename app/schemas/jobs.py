"""Bodies of the jobs API."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import MISSING, BeforeValidator, Field, StringConstraints
from pydantic_core import from_json

from app.models.jobs import JobStatus
from app.schemas.base import Output
from app.schemas.lists import ListQuery

JobType = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]*$")
]


class JobQuery(ListQuery):
    status: JobStatus | MISSING = MISSING
    type: JobType | MISSING = MISSING


class JobResponse(Output):
    id: int
    type: str = Field(examples=["mail.send"])
    status: JobStatus = Field(
        description="A held job has failed for good, or killed its workers."
    )
    priority: int
    attempts: int = Field(description="How often it has failed and was put back.")
    payload: Annotated[dict[str, Any], BeforeValidator(from_json)]
    error: str | None = Field(description="Why the last attempt failed.")
    created_at: datetime
    run_at: datetime = Field(description="Before this it is not begun.")


class JobEventResponse(Output):
    status: str = Field(examples=["queued", "begun", "done", "held", "discarded"])
    created_at: datetime
    error: str | None
    traceback: str | None


class JobHistoryResponse(Output):
    job: JobResponse | None = Field(description="Null once it is done or discarded.")
    events: list[JobEventResponse] = Field(
        description="The last 200, the oldest first."
    )
