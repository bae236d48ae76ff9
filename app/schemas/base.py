"""The kinds of schema: what comes in, what changes, what goes out."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class BaseSchema(BaseModel):
    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)


class Input(BaseSchema):
    """A request body: unknown fields are errors, and no type is converted.

    Types that JSON lacks (UUID, datetime, enum) are marked ``Field(strict=False)``.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Patch(Input):
    """A partial update: ``name: Name | MISSING = MISSING`` refuses null."""

    def changes(self) -> dict[str, Any]:
        """Return the fields that were sent."""
        return self.model_dump(exclude_unset=True)


class Output(BaseSchema):
    """A response body. Its fields never have defaults: each is always sent."""

    model_config = ConfigDict(from_attributes=True)
