"""What every list of the API does, those of tomorrow too.

A list is an operation with a cursor. Its sample gives it two rows or more.
"""

import re
from collections.abc import Iterator
from typing import Any

from httpx2 import Response

from tests.contract.answers import pointers
from tests.contract.conftest import Complaints, every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import Scene

FIELDS = {"items", "total", "page", "size", "pages", "next_cursor"}
VALUES = {
    "boolean": "true",
    "integer": "1",
    "date-time": "2026-01-01T00:00:00Z",
    "uuid": "01890000-0000-7000-8000-000000000000",
}


def query_of(operation: Operation) -> dict[str, Any]:
    return {p["name"]: p["schema"] for p in operation.parameters("query")}


LISTS = [o for o in OPERATIONS if "cursor" in query_of(o) and o.method == "GET"]


async def ask(scene: Scene, operation: Operation, **query: str | int) -> Response:
    sample = await sample_of(operation, scene)
    return await send(scene, operation, sample, params=query)


def sorts_of(operation: Operation) -> list[str]:
    """Read the names out of the pattern that OpenAPI shows."""
    found = re.match(r"\^-\?\(([a-z_|]+)\)", query_of(operation)["sort"]["pattern"])
    assert found
    return found[1].split("|")


def filters_of(operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield each filter and a value that it takes."""
    for name, schema in query_of(operation).items():
        if name not in {"page", "size", "cursor", "sort"}:
            kind = schema.get("format", schema.get("type"))
            yield name, schema.get("enum", [VALUES.get(kind, "a")])[0]


class TestLists:
    def test_there_are_some(self) -> None:
        assert {one.id for one in LISTS} >= {"get_users", "get_sessions"}

    @every([one for one in OPERATIONS if one.id.startswith("get_")])
    def test_whatever_answers_items_is_one(self, operation: Operation) -> None:
        content = operation.definition["responses"]["200"].get("content", {})
        schema = operation.resolve(
            content.get("application/json", {}).get("schema", {})
        )
        if "items" in schema.get("properties", {}):
            assert operation in LISTS
            assert schema["properties"].keys() == FIELDS

    @every(LISTS)
    async def test_each_sort_goes_both_ways_and_on(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        for name in sorts_of(operation):
            for sort in (name, f"-{name}"):
                first = await ask(scene, operation, sort=sort, size=1)
                if not first.is_success or not first.json()["next_cursor"]:
                    found.add(sort, first.text)
                    continue
                cursor = first.json()["next_cursor"]
                rest = await ask(scene, operation, sort=sort, size=1, cursor=cursor)
                if not rest.is_success or rest.json()["items"] == first.json()["items"]:
                    found.add(sort, rest.text)
        found.assert_none()

    @every(LISTS)
    async def test_each_filter_is_taken(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        for name, value in filters_of(operation):
            answer = await ask(scene, operation, **{name: value})
            if not answer.is_success:
                found.add(f"{name}={value}", answer.text)
        found.assert_none()

    @every(LISTS)
    async def test_a_cursor_is_good_for_what_it_was_given_for(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        first = (await ask(scene, operation, size=1)).json()
        cursor = first["next_cursor"]
        other = f"{cursor[:-1]}{'A' if cursor[-1] != 'A' else 'B'}"
        spoiled: list[dict[str, str | int]] = [
            {"cursor": other},
            {"cursor": cursor[:-1]},
            {"cursor": f"{cursor}A"},
            {"cursor": cursor, "sort": sorts_of(operation)[0]},
            *({"cursor": cursor, name: v} for name, v in filters_of(operation)),
        ]
        for query in spoiled:
            answer = await ask(scene, operation, **query)
            found.about(str(query)[-60:], answer, status=422)
            if "/query/cursor" not in pointers(answer):
                found.add(str(query)[-60:], answer.text)
        found.assert_none()

    @every(LISTS)
    async def test_pages_by_number_have_an_end(
        self, operation: Operation, scene: Scene
    ) -> None:
        past = await ask(scene, operation, page=100, size=100)
        assert (past.status_code, past.json()["items"]) == (200, [])
        assert past.json()["total"] >= 2
        deeper = await ask(scene, operation, page=101, size=100)
        assert deeper.status_code == 422
        (error,) = deeper.json()["errors"]
        assert error["pointer"] == "/query/page"
        assert "cursor" in error["detail"]
