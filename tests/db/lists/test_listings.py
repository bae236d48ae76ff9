"""What a list holds to: its cursors, its statements, its declaration."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from app.db.reader import Reader
from app.errors import ValidationFailed
from app.pagination import Cursors, PageRequest
from tests.db.lists.conftest import WatchedReader
from tests.db.lists.things import BY_AGE, ROWS, THINGS, listing, things, walk


async def assert_refused(reader: Reader, request: PageRequest, **scope: Any) -> None:
    with pytest.raises(ValidationFailed) as refused:
        await THINGS.page(reader, request, **(scope or {"owner": 1}))
    assert [error.pointer for error in refused.value.errors] == ["/query/cursor"]


class TestCursor:
    async def test_is_good_for_its_list_scope_filters_and_order_only(
        self, reader: WatchedReader
    ) -> None:
        request = PageRequest(size=5, order=BY_AGE, filters={"min_price": Decimal(0)})
        page = await THINGS.page(reader, request, owner=1)
        right = replace(request, cursor=page.next_cursor)
        assert (await THINGS.page(reader, right, owner=1)).items
        await assert_refused(reader, right, owner=2)
        others: list[dict[str, Any]] = [
            {"filters": {}},
            {"filters": {"min_price": Decimal(1)}},
            {"filters": {"min_price": Decimal(0), "name": "a"}},
            {"order": (("made_at", False),)},
            {"order": (("made_at", True), ("name", False))},
            {"order": (("price", True),)},
        ]
        for changes in others:
            await assert_refused(reader, replace(right, **changes))
        with pytest.raises(ValidationFailed):
            await listing("other things").page(reader, right, owner=1)

    async def test_of_another_installation_is_refused(
        self, reader: WatchedReader
    ) -> None:
        request = PageRequest(size=5, order=BY_AGE)
        page = await THINGS.page(reader, request, owner=1)
        reader.cursors = Cursors([b"other"])
        await assert_refused(reader, replace(request, cursor=page.next_cursor))

    async def test_of_an_earlier_version_of_the_list_is_refused(
        self, reader: WatchedReader
    ) -> None:
        request = PageRequest(size=5, order=BY_AGE)
        binding = THINGS._binding(request, {"owner": 1})
        for place in (b"", b"[]", b'["x", "y"]', b"[null, 1]"):
            cursor = reader.cursors.seal(place, binding=binding)
            await assert_refused(reader, replace(request, cursor=cursor))


class TestStatements:
    async def test_are_compiled_once_for_each_way_to_ask(
        self, reader: WatchedReader
    ) -> None:
        for name in ("a", "B"):
            request = PageRequest(size=2, order=BY_AGE, filters={"name": name})
            page = await THINGS.page(reader, request, owner=1)
            request = replace(request, size=3, cursor=page.next_cursor)
            await THINGS.page(reader, request, owner=1)
        queries = [query for query, _ in reader.asked]
        assert len(queries) == 6
        assert queries[:3] == queries[3:]
        assert len(set(queries)) == 3

    async def test_of_the_nulls_of_a_cursor_are_different_ones(
        self, reader: WatchedReader
    ) -> None:
        await walk(reader, PageRequest(size=3, order=(("rank", False),)))
        assert len({query for query, _ in reader.asked}) == 4  # a first, a count


class TestDeclaration:
    async def test_needs_its_whole_scope(self, reader: WatchedReader) -> None:
        for scope in ({}, {"owner": 1, "name": "a"}, {"other": 1}):
            with pytest.raises(TypeError, match="scope of things"):
                await THINGS.page(reader, PageRequest(order=BY_AGE), **scope)

    @pytest.mark.parametrize(
        "condition",
        [
            things.c.name == sa.bindparam("other"),
            things.c.name == "constant",
            things.c.owner == sa.bindparam("owner"),
        ],
        ids=str,
    )
    def test_needs_filters_with_one_parameter_of_their_name(
        self, condition: sa.ColumnElement[bool]
    ) -> None:
        with pytest.raises(ValueError, match="filter"):
            listing(filters={"name": condition, "owner": condition})

    @pytest.mark.parametrize("type_", [sa.Text(), sa.String(), sa.String(701)])
    def test_refuses_to_sort_by_what_no_cursor_can_hold(self, type_: Any) -> None:
        with pytest.raises(ValueError, match="text to sort by"):
            listing(sorts={"long": sa.column("long", type_)})

    async def test_may_sort_by_the_key_itself(self, reader: WatchedReader) -> None:
        by_id = listing(sorts={"id": things.c.id})
        found = await walk(
            reader, PageRequest(size=3, order=(("id", True),)), listing=by_id
        )
        assert [row.id for row in found] == sorted((r.id for r in ROWS), reverse=True)
        assert isinstance(found[0].id, UUID)
