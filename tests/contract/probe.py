"""An operation of the tests' own: it has every kind of input that the API may have.

What it refuses is what the same types refuse in each operation to come, and it shows
that no row of bad input is left without a field to be sent in.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import MISSING, Field

from app.schemas.base import Input, Output
from app.schemas.lists import (
    DIGITS,
    ListQuery,
    QueryBool,
    QueryTime,
    SearchText,
    sortable,
)
from app.schemas.types import Email, FullName
from app.web.routing import Router

router = Router(prefix="/probe", tags=["probe"])

MAX_INT = 2**31 - 1
Whole = Annotated[int, Field(ge=0, le=MAX_INT)]


class Line(Input):
    product_id: Annotated[UUID, Field(strict=False)]
    quantity: Annotated[int, Field(ge=1, le=1_000_000)]


class ProbeRequest(Input):
    email: Email
    name: FullName
    note: Annotated[str, Field(max_length=500)] | None = None
    amount: Whole
    ratio: Annotated[float, Field(ge=0, le=1)]
    is_new: bool
    kind: Literal["small", "large"]
    lines: Annotated[list[Line], Field(min_length=1, max_length=100)]


class ProbeQuery(ListQuery):
    sort: Annotated[str, sortable("created_at", "name")] = "-created_at"
    q: SearchText | MISSING = MISSING
    name: FullName | MISSING = MISSING
    kind: Literal["small", "large"] | MISSING = MISSING
    is_new: QueryBool | MISSING = MISSING
    min_amount: Annotated[int, Field(ge=0, le=MAX_INT), DIGITS] | MISSING = MISSING
    created_after: QueryTime | MISSING = MISSING
    product_id: UUID | MISSING = MISSING


class ProbeResponse(Output):
    id: UUID
    seen_at: datetime | None


@router.post("/{id:uuid}", operation_id="probe")
async def probe(
    id: UUID,  # noqa: ARG001 - there to be malformed
    body: ProbeRequest,  # noqa: ARG001 - as above
    query: Annotated[ProbeQuery, Query()],  # noqa: ARG001 - as above
) -> ProbeResponse:
    """Take anything that is valid, and keep nothing."""
    return ProbeResponse(id=UUID(int=0), seen_at=None)
