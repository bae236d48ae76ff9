"""Bodies of the operations API."""

from typing import Literal

from pydantic import Field

from app.schemas.base import Output

State = Literal["up", "down", "off"]


class HealthResponse(Output):
    status: Literal["healthy"]
    version: str


class LiveResponse(Output):
    status: Literal["alive"]


class Checks(Output):
    """Each dependency; ``off`` is one that this installation does not use."""

    database: State
    # BaseModel has a deprecated method of the name that the API uses.
    schema_: State = Field(alias="schema")
    redis: State
    kafka: State


class ReadyResponse(Output):
    status: Literal["ready"]
    checks: Checks
