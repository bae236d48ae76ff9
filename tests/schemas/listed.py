"""Operations of the tests' own that have queries, and the way to ask them."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Query
from httpx2 import AsyncClient
from pydantic import MISSING, Field

from app.pagination import PageRequest, Slice
from app.schemas.base import Output, Page
from app.schemas.lists import (
    DIGITS,
    ListQuery,
    QueryBool,
    QueryTime,
    SearchText,
    sortable,
)
from app.web import handlers
from app.web.routing import Router
from tests.contract.answers import pointers

NAMES = ("created_at", "name", "unit_amount")


class ThingQuery(ListQuery):
    sort: Annotated[str, sortable(*NAMES)] = "-created_at"
    q: SearchText | MISSING = MISSING
    is_active: QueryBool | MISSING = MISSING
    min_total: Annotated[int, Field(ge=0, le=10**12), DIGITS] | MISSING = MISSING
    created_after: QueryTime | MISSING = MISSING
    actor_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ThingRow:
    id: int
    secret: str


class ThingResponse(Output):
    id: int


router = Router()
asked: list[PageRequest] = []


@router.get("/things", response_model=Page[ThingResponse])
async def get_things(query: Annotated[ThingQuery, Query()]) -> Slice[ThingRow]:
    """Answer one thing, and remember what was asked."""
    request = query.request()
    asked.append(request)
    rows = [ThingRow(1, "hidden")]
    return Slice.numbered(rows, request, total=None, next_cursor=None)


@router.get("/plain")
async def get_plain(request_name: Annotated[str, Query()] = "x") -> str:
    """Read a parameter of its own."""
    return request_name


@router.get("/without")
async def get_nothing() -> str:
    """Read no parameter."""
    return "x"


APP = FastAPI()
handlers.install(APP)
APP.include_router(router)


async def ask(client: AsyncClient, query: str) -> PageRequest:
    response = await client.get(f"/things?{query}")
    assert response.status_code == 200, response.text
    return asked.pop()


async def assert_refused(
    client: AsyncClient, query: str, *expected: str, path: str = "/things"
) -> list[dict[str, str]]:
    response = await client.get(f"{path}?{query}")
    assert response.status_code == 422, (query, response.text)
    assert sorted(pointers(response)) == sorted(expected), query
    errors: list[dict[str, str]] = response.json()["errors"]
    return errors
