"""All rows of a list, read by and by."""

from app.pagination import PageRequest
from tests.db.lists.conftest import WatchedReader
from tests.db.lists.things import (
    BY_AGE,
    ROWS,
    SORTS,
    THINGS,
    in_order,
)


class TestBatches:
    async def test_give_every_row_once_in_every_order(
        self, reader: WatchedReader
    ) -> None:
        for name in SORTS:
            for descending in (False, True):
                order = ((name, descending),)
                request = PageRequest(size=7, order=order)
                batches = THINGS.batches(reader, request, owner=1)
                found = [batch async for batch in batches]
                assert [row for batch in found for row in batch] == (
                    in_order(ROWS, order)
                )
                assert {len(batch) for batch in found[:-1]} == {7}

    async def test_end_after_a_last_one_that_is_full(
        self, reader: WatchedReader
    ) -> None:
        request = PageRequest(size=len(ROWS) // 2, order=BY_AGE)
        batches = THINGS.batches(reader, request, owner=1)
        assert [len(batch) async for batch in batches] == [20, 20]
        # Neither counts them, nor reads once more to see that nothing follows.
        assert len(reader.asked) == 2

    async def test_of_nothing_are_one_that_is_empty(
        self, reader: WatchedReader
    ) -> None:
        batches = THINGS.batches(reader, PageRequest(order=BY_AGE), owner=-1)
        assert [batch async for batch in batches] == [[]]

    async def test_are_of_what_the_filters_let_through(
        self, reader: WatchedReader
    ) -> None:
        request = PageRequest(size=2, order=BY_AGE, filters={"name": "a"})
        batches = THINGS.batches(reader, request, owner=1)
        found = [row async for batch in batches for row in batch]
        expected = [row for row in ROWS if row.name == "a"]
        assert found == in_order(expected, BY_AGE)
