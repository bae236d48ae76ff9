"""Numbered pages, and how far they count."""

from dataclasses import replace
from uuid import uuid4

import pytest

from app.db.connections import Connection
from app.pagination import PageRequest
from tests.db.lists.conftest import WatchedReader
from tests.db.lists.things import (
    BY_AGE,
    LONG,
    LONGER,
    ROWS,
    THINGS,
    in_order,
    insert,
    walk,
)


class TestNumberedPages:
    @pytest.mark.parametrize("size", [1, 7, len(ROWS) - 1, len(ROWS), 100])
    async def test_give_the_same_rows_as_cursors(
        self, reader: WatchedReader, size: int
    ) -> None:
        expected = in_order(ROWS, BY_AGE)
        pages = -(-len(ROWS) // size)
        for number in range(1, pages + 1):
            request = PageRequest(size=size, page=number, order=BY_AGE)
            page = await THINGS.page(reader, request, owner=1)
            assert page.items == expected[request.offset : request.offset + size]
            assert (page.total, page.page) == (len(ROWS), number)
            assert (page.pages, page.size) == (pages, size)
            assert (page.next_cursor is None) == (number == pages)

    async def test_can_be_left_for_cursors(self, reader: WatchedReader) -> None:
        request = PageRequest(size=7, page=3, order=BY_AGE)
        assert await walk(reader, request) == in_order(ROWS, BY_AGE)[14:]

    async def test_are_empty_past_the_end(self, reader: WatchedReader) -> None:
        request = PageRequest(size=7, page=100, order=BY_AGE)
        page = await THINGS.page(reader, request, owner=1)
        assert page.items == []
        assert (page.total, page.pages, page.page) == (len(ROWS), 6, 100)
        assert page.next_cursor is None

    async def test_of_nothing_have_a_total_of_zero(self, reader: WatchedReader) -> None:
        for number in (1, 2):
            request = PageRequest(page=number, order=BY_AGE)
            page = await THINGS.page(reader, request, owner=0)
            assert (list(page.items), page.total, page.pages) == ([], 0, 0)
            assert page.next_cursor is None

    @pytest.mark.parametrize(
        ("rows", "total", "pages"), [(LONG, LONG, 100), (LONGER, None, None)]
    )
    async def test_count_as_far_as_they_reach(
        self, reader: WatchedReader, rows: int, total: int | None, pages: int | None
    ) -> None:
        for number in (1, 50, 100):
            request = PageRequest(size=100, page=number, order=BY_AGE)
            page = await THINGS.page(reader, request, owner=rows)
            assert (page.total, page.pages) == (total, pages)
            assert len(page.items) == 100
            is_end = (rows, number) == (LONG, 100)
            assert (page.next_cursor is None) == is_end

    async def test_count_only_when_the_rows_do_not_tell(
        self, reader: WatchedReader
    ) -> None:
        for size, number, statements in (
            (len(ROWS), 1, 1),
            (30, 2, 1),
            (30, 1, 2),
            (30, 3, 2),
        ):
            reader.asked.clear()
            request = PageRequest(size=size, page=number, order=BY_AGE)
            page = await THINGS.page(reader, request, owner=1)
            assert page.total == len(ROWS)
            assert len(reader.asked) == statements

    async def test_make_sense_while_rows_go(
        self, reader: WatchedReader, owner: Connection
    ) -> None:
        await insert(owner, [replace(row, id=uuid4()) for row in ROWS], owner=3)

        async def delete_all() -> None:
            await owner.execute("DELETE FROM things WHERE owner = 3")

        async def nothing() -> None:
            return

        reader.meanwhile = [delete_all, nothing]
        request = PageRequest(size=10, page=2, order=BY_AGE)
        page = await THINGS.page(reader, request, owner=3)
        assert len(page.items) == 10
        assert (page.total, page.pages) == (21, 3)

    async def test_make_sense_while_rows_come(
        self, reader: WatchedReader, owner: Connection
    ) -> None:
        async def insert_many() -> None:
            await insert(owner, [replace(row, id=uuid4()) for row in ROWS], owner=4)

        async def nothing() -> None:
            return

        reader.meanwhile = [insert_many, nothing]
        request = PageRequest(size=10, page=3, order=BY_AGE)
        page = await THINGS.page(reader, request, owner=4)
        assert (page.items, page.total, page.pages) == ([], 20, 2)
