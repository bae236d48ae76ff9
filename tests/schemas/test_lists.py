"""Queries of lists: pages, cursors and orders, and what is told of them."""

from typing import Any

import pytest
from httpx2 import AsyncClient

from app.pagination import PageRequest
from tests.schemas.listed import APP, NAMES, ask, assert_refused


class TestPage:
    async def test_is_the_first_fifty_newest_by_default(
        self, client: AsyncClient
    ) -> None:
        assert await ask(client, "") == PageRequest()

    async def test_may_be_any_within_its_bounds(self, client: AsyncClient) -> None:
        for query, size, page in (
            ("size=1&page=10000", 1, 10_000),
            ("size=100&page=100", 100, 100),
            ("page=200", 50, 200),
            ("page=007", 50, 7),
        ):
            request = await ask(client, query)
            assert (request.size, request.page, request.cursor) == (size, page, None)
            assert request.offset == (page - 1) * size

    @pytest.mark.parametrize(
        "query",
        ["page=201", "size=100&page=101", "page=10001&size=1", f"page={10**18 - 1}"],
    )
    async def test_beyond_the_numbered_ones_names_the_cursor(
        self, client: AsyncClient, query: str
    ) -> None:
        (error,) = await assert_refused(client, query, "/query/page")
        assert "cursor" in error["detail"]

    @pytest.mark.parametrize("name", ["page", "size"])
    @pytest.mark.parametrize(
        "text",
        [
            *("", "0", "-1", "x", "1.0", "1e1", "0x1", "1_0", "%201", "1%20", "%2B1"),
            *("%D9%A1", "%EF%BC%91", "%C2%B2", "true", "null", "%00", "1%00", "1%0A"),
            *("NaN", "9" * 19, "9" * 5000),
        ],
    )
    async def test_takes_plain_positive_numbers_only(
        self, client: AsyncClient, name: str, text: str
    ) -> None:
        await assert_refused(client, f"{name}={text}", f"/query/{name}")

    async def test_has_a_largest_size(self, client: AsyncClient) -> None:
        await assert_refused(client, "size=101", "/query/size")

    async def test_and_cursor_exclude_each_other(self, client: AsyncClient) -> None:
        for query in ("page=1&cursor=abc", "cursor=abc&page=2&size=10"):
            (error,) = await assert_refused(client, query, "/query/page")
            assert error["code"] == "page_with_cursor"

    async def test_tells_all_that_is_wrong_at_once(self, client: AsyncClient) -> None:
        query = "page=0&size=0&cursor=%20&sort=x&q=%00&is_active=2&x=1"
        names = ("page", "size", "cursor", "sort", "q", "is_active", "x")
        await assert_refused(client, query, *(f"/query/{name}" for name in names))


class TestCursor:
    async def test_is_handed_on(self, client: AsyncClient) -> None:
        request = await ask(client, "cursor=aZ09-_&size=7")
        assert (request.cursor, request.size) == ("aZ09-_", 7)

    @pytest.mark.parametrize(
        "text", ["", "%20", "a=", "a%2B", "a/b", "%C3%A9", "a%0A", "%00", "a" * 4097]
    )
    async def test_looks_like_one(self, client: AsyncClient, text: str) -> None:
        await assert_refused(client, f"cursor={text}", "/query/cursor")


class TestSort:
    @pytest.mark.parametrize(
        ("text", "order"),
        [
            ("name", (("name", False),)),
            ("-name", (("name", True),)),
            (
                "-created_at,name,-unit_amount",
                (("created_at", True), ("name", False), ("unit_amount", True)),
            ),
        ],
    )
    async def test_names_fields_of_the_list(
        self, client: AsyncClient, text: str, order: Any
    ) -> None:
        assert (await ask(client, f"sort={text}")).order == order

    @pytest.mark.parametrize(
        "text",
        [
            *("", "-", ",", "x", "name,", ",name", "name,,name", "--name", "%2Bname"),
            *("NAME", "name%20", "name%0A", "name;", "id", "password_hash", "name-"),
            *("name,name", "name,-name", "name,created_at,-name"),
            "created_at,name,unit_amount,created_at",
            "name,(SELECT%201)",
        ],
    )
    async def test_refuses_all_others(self, client: AsyncClient, text: str) -> None:
        await assert_refused(client, f"sort={text}", "/query/sort")


class TestAnswer:
    async def test_has_all_its_fields_and_no_other(self, client: AsyncClient) -> None:
        response = await client.get("/things")
        assert response.json() == {
            "items": [{"id": 1}],
            "total": None,
            "page": 1,
            "size": 50,
            "pages": None,
            "next_cursor": None,
        }


class TestDescription:
    def test_promises_all_fields_of_a_page(self) -> None:
        schemas = APP.openapi()["components"]["schemas"]
        schema = schemas["Page_ThingResponse_"]
        assert set(schema["required"]) == set(schema["properties"])
        assert schema["properties"]["items"]["items"]["$ref"].endswith("ThingResponse")

    def test_tells_the_bounds_of_every_parameter(self) -> None:
        parameters = APP.openapi()["paths"]["/things"]["get"]["parameters"]
        schemas = {one["name"]: one["schema"] for one in parameters}
        expected: dict[str, dict[str, Any]] = {
            "size": {"type": "integer", "minimum": 1, "maximum": 100, "default": 50},
            "page": {"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1},
            "cursor": {"type": "string", "minLength": 1, "maxLength": 4096},
            "sort": {"type": "string", "default": "-created_at"},
            "q": {"type": "string", "maxLength": 200},
            "is_active": {"type": "boolean"},
            "min_total": {"type": "integer", "minimum": 0, "maximum": 10**12},
            "created_after": {"type": "string", "format": "date-time"},
        }
        for name, expected_schema in expected.items():
            assert schemas[name].items() >= expected_schema.items(), name
        assert all(name in schemas["sort"]["pattern"] for name in NAMES)
        assert not any(parameter["required"] for parameter in parameters)
        described = {one["name"] for one in parameters if "description" in one}
        assert described >= {"size", "page", "cursor", "sort"}
