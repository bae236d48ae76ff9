"""The kinds of schema: what comes in, what changes, what goes out."""

from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field


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


T = TypeVar("T", bound=Output)


class Page(Output, Generic[T]):
    """A part of a list, by its number or from a cursor on."""

    items: Sequence[T]
    total: int | None = Field(
        description="Rows of the whole list; null above 10,000 and behind a cursor."
    )
    page: int | None = Field(description="Null behind a cursor.")
    size: int
    pages: int | None = Field(description="Null where `total` is.")
    next_cursor: str | None = Field(
        description="Send it as `cursor` to go on; null when there is no more."
    )
