"""Keyset pages: every order, every row once, at the same cost everywhere."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.db.connections import Connection
from app.pagination import Order, PageRequest
from tests.db.lists.conftest import WatchedReader
from tests.db.lists.things import (
    BY_AGE,
    DEEP,
    ROWS,
    SORTS,
    THINGS,
    Thing,
    in_order,
    insert,
    listing,
    plan_of,
    things,
    walk,
)

NAMES = tuple(SORTS)
DIRECTIONS = (False, True)
ORDERS: list[Order] = [
    tuple(zip(names, directions, strict=True))
    for count in (1, 2)
    for names in itertools.permutations(NAMES, count)
    for directions in itertools.product(DIRECTIONS, repeat=count)
] + [(("rank", True), ("state", False), ("name", True))]


class TestKeysetPages:
    @pytest.mark.parametrize("size", [3, len(ROWS)])
    async def test_give_every_row_once_in_every_order(
        self, reader: WatchedReader, size: int
    ) -> None:
        for order in ORDERS:
            found = await walk(reader, PageRequest(size=size, order=order))
            assert found == in_order(ROWS, order), order

    @pytest.mark.parametrize("order", ORDERS[: 2 * len(NAMES)], ids=str)
    async def test_may_be_of_one_row(self, reader: WatchedReader, order: Order) -> None:
        found = await walk(reader, PageRequest(size=1, order=order))
        assert found == in_order(ROWS, order)

    async def test_may_change_their_size(self, reader: WatchedReader) -> None:
        first = await THINGS.page(reader, PageRequest(size=4, order=BY_AGE), owner=1)
        request = PageRequest(size=100, order=BY_AGE, cursor=first.next_cursor)
        rest = await THINGS.page(reader, request, owner=1)
        assert [*first.items, *rest.items] == in_order(ROWS, BY_AGE)
        assert (rest.total, rest.page, rest.pages, rest.size) == (None, None, None, 100)

    async def test_keep_to_their_filters(self, reader: WatchedReader) -> None:
        least = Decimal("0.10000000000000001")
        filters = {"name": "é", "min_price": least}
        request = PageRequest(size=2, order=BY_AGE, filters=filters)
        expected = [
            row
            for row in in_order(ROWS, BY_AGE)
            if row.name == "é" and row.price >= least
        ]
        assert 2 < len(expected) < len(ROWS)
        assert await walk(reader, request) == expected

    async def test_know_columns_that_an_outer_join_leaves_empty(
        self, reader: WatchedReader
    ) -> None:
        other = things.alias()
        is_other = sa.and_(other.c.id == things.c.id, other.c.state == "low")
        rows = sa.select(*(things.c[name] for name in Thing.__slots__))
        rows = rows.outerjoin(other, is_other)
        joined = listing(rows=rows, sorts={"name": other.c.name})
        for descending in DIRECTIONS:
            request = PageRequest(size=3, order=(("name", descending),))
            found = await walk(reader, request, listing=joined)
            assert sorted(row.id for row in found) == sorted(row.id for row in ROWS)

    async def test_neither_repeat_nor_lose_rows_while_others_come_and_go(
        self, reader: WatchedReader, owner: Connection
    ) -> None:
        stay = in_order([replace(row, id=uuid4()) for row in ROWS], BY_AGE)
        await insert(owner, stay, owner=2)
        found: list[Thing] = []
        request = PageRequest(size=5, order=BY_AGE)
        while request.cursor or not found:
            page = await THINGS.page(reader, request, owner=2)
            found += page.items
            # The row that the cursor stands on goes; some come before and behind it.
            last = found[-1]
            await owner.execute("DELETE FROM things WHERE id = $1", last.id)
            newer = replace(
                last, id=uuid4(), made_at=last.made_at + timedelta(seconds=1)
            )
            await insert(owner, [newer], owner=2)
            if page.next_cursor is None:
                break
            request = replace(request, cursor=page.next_cursor)
        assert found == stay

    async def test_cost_the_same_at_any_depth(
        self, reader: WatchedReader, owner: Connection
    ) -> None:
        """The index leads to the first row; nothing is sorted or passed over."""
        first = await THINGS.page(reader, PageRequest(order=BY_AGE), owner=DEEP)
        record = await owner.fetchrow(
            "SELECT * FROM things WHERE owner = $1"
            " ORDER BY made_at DESC, id DESC OFFSET 50000 LIMIT 1",
            DEEP,
        )
        assert record is not None
        request = PageRequest(order=BY_AGE)
        cursor = reader.cursors.seal(
            THINGS._sorting(BY_AGE).write([record[name] for name in Thing.__slots__]),
            binding=THINGS._binding(request, {"owner": DEEP}),
        )
        request = replace(request, cursor=cursor)
        deep = await THINGS.page(reader, request, owner=DEEP)
        assert len(deep.items) == len(first.items) == 50
        query, values = reader.asked[-1]
        nodes = await plan_of(owner, query, values)
        assert "ix_things_made_at" in {node.get("Index Name") for node in nodes}
        assert all("Sort" not in node["Node Type"] for node in nodes)
        assert max(node["Actual Rows"] for node in nodes) <= 51
        assert sum(node.get("Rows Removed by Filter", 0) for node in nodes) <= 100
