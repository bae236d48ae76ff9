"""Queries of lists: filters, and parameters that are none."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from httpx2 import AsyncClient

from tests.contract.answers import pointers
from tests.schemas.listed import ask, assert_refused

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


class TestFilters:
    async def test_are_those_that_were_sent(self, client: AsyncClient) -> None:
        query = (
            "q=Ada%20L&is_active=false&min_total=0"
            "&created_after=2026-01-31T14:00:00%2B02:00"
            "&actor_id=01890000-0000-7000-8000-000000000000"
        )
        assert (await ask(client, query)).filters == {
            "q": "Ada L",
            "is_active": False,
            "min_total": 0,
            "created_after": NOON,
            "actor_id": UUID("01890000-0000-7000-8000-000000000000"),
        }

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("2026-01-31T12:00:00Z", NOON),
            ("2026-01-31t12:00:00.000001z", NOON.replace(microsecond=1)),
            ("2026-01-31T12:00:00.123456789Z", NOON.replace(microsecond=123_456)),
            ("2026-01-31T09:30:00-02:30", NOON),
        ],
    )
    async def test_by_time_are_in_utc(
        self, client: AsyncClient, text: str, time: datetime
    ) -> None:
        found = (await ask(client, f"created_after={text}")).filters["created_after"]
        assert found == time
        assert found.tzinfo is UTC

    @pytest.mark.parametrize(
        ("name", "texts"),
        [
            ("q", ["%00", "a%00b", "x" * 201]),
            (
                "is_active",
                ["", "1", "0", "True", "TRUE", "yes", "on", "t", "%20true", "null"],
            ),
            ("min_total", ["", "-1", "1.0", "1_000", "%2B1", str(10**12 + 1), "x"]),
            (
                "created_after",
                [
                    *("", "now", "0", "1700000000", "2026-01-31", "12:00:00Z"),
                    *("2026-01-31T12:00:00", "2026-01-31%2012:00:00Z"),
                    *("2026-01-31T12:00Z", "2026-02-30T00:00:00Z"),
                    *("2026-01-31T24:00:01Z", "2026-01-31T12:00:00+02:00"),
                    *("2026-01-31T12:00:00%2B24:00", "2026-01-31T12:00:00Z%0A"),
                    *("0000-01-01T00:00:00Z", "99999-01-01T00:00:00Z"),
                    *("0001-01-01T00:00:00%2B23:00", "9999-12-31T23:59:59-23:00"),
                    "%D9%A2026-01-31T12:00:00Z",
                ],
            ),
            ("actor_id", ["", "x", "0", "null"]),
        ],
    )
    async def test_refuse_what_is_of_another_kind(
        self, client: AsyncClient, name: str, texts: list[str]
    ) -> None:
        for text in texts:
            await assert_refused(client, f"{name}={text}", f"/query/{name}")


class TestParameters:
    @pytest.mark.parametrize("name", ["x", "Size", "size%20", "id", "filters", "%C3"])
    async def test_that_are_unknown_are_refused(
        self, client: AsyncClient, name: str
    ) -> None:
        response = await client.get(f"/things?{name}=1")
        assert response.status_code == 422
        (pointer,) = pointers(response)
        assert pointer.startswith("/query/")

    @pytest.mark.parametrize(
        ("query", "names"),
        [
            ("size=1&size=2", ["size"]),
            ("size=1&q=a&size=1&q=b&page=1", ["size", "q"]),
            ("x=1&x=2&x=3", ["x"]),
            ("sort=name&sort=", ["sort"]),
            ("a/b~=1&a/b~=2", ["a~1b~0"]),
        ],
    )
    async def test_that_stand_there_twice_are_refused(
        self, client: AsyncClient, query: str, names: list[str]
    ) -> None:
        expected = [f"/query/{name}" for name in names]
        errors = await assert_refused(client, query, *expected)
        assert {error["code"] for error in errors} == {"repeated_parameter"}

    async def test_are_told_a_hundred_times_at_most(self, client: AsyncClient) -> None:
        names = [f"x{number}" for number in range(150)] * 2
        response = await client.get("/things?" + "&".join(f"{n}=" for n in names))
        assert len(pointers(response)) == 100

    async def test_of_other_operations_stand_there_once_too(
        self, client: AsyncClient
    ) -> None:
        query = "request_name=1&request_name=2"
        await assert_refused(client, query, "/query/request_name", path="/plain")
        assert (await client.get("/plain?request_name=1&other=1")).json() == "1"
        assert (await client.get("/without?x=1&x=2")).status_code == 200
