"""Lists: numbered pages and keyset pages of one SELECT, in any of its orders."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Generic, TypeVar

import asyncpg
from pydantic_core import to_json
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Integer,
    Join,
    Select,
    SQLColumnExpression,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.sql import visitors

from app.db.keyset import Sorting, SortKey, follow, require_room_in_a_cursor
from app.db.reader import Query, Reader, require_fields
from app.pagination import MAX_ROWS, Order, PageRequest, Slice

R = TypeVar("R")

SHAPES = 256  # statements that a list keeps: more than are in use at a time

_LIMIT, _OFFSET = "_limit", "_offset"


class Listing(Generic[R]):
    """A list of the API, declared once: its rows, its orders and its filters.

    ``rows`` is a SELECT without DISTINCT, GROUP BY and an order. The parameters in it
    are the scope of the list, as the organization whose rows they are. ``key`` is
    unique and decides between rows that are equal otherwise, in the direction of the
    first column. Each filter is a condition on one parameter, of the filter's name.
    Names of ``sorts`` are those that the resource's `ListQuery` lets pass. ``context``
    names the part of the scope that row-level security looks at.
    """

    def __init__(
        self,
        name: str,
        rows: Select[*tuple[Any, ...]],
        row: Callable[..., R],
        *,
        key: SQLColumnExpression[Any],
        sorts: Mapping[str, SQLColumnExpression[Any]],
        filters: Mapping[str, ColumnElement[bool]] | None = None,
        context: Sequence[str] = (),
    ) -> None:
        require_fields(rows, row)
        self._name = name
        self._rows = rows
        self._row = row
        self._key = _column(key)
        self._sorts = {name: _column(column) for name, column in sorts.items()}
        self._filters = filters or {}
        self._scope = _parameters(rows) | {*context}
        self._context = context
        self._columns = list(rows.selected_columns)
        self._may_lack_rows = _has_outer_join(rows)
        self._require_sound_filters()
        require_room_in_a_cursor(self._sorts.values())
        # What was asked before is not compiled again.
        self._sorting = lru_cache(SHAPES)(self._make_sorting)
        self._page = lru_cache(SHAPES)(self._make_page)
        self._count = lru_cache(SHAPES)(self._make_count)

    async def page(
        self, reader: Reader, request: PageRequest, **scope: Any
    ) -> Slice[R]:
        """Read one page.

        Raises `ValidationFailed` for a cursor that was not given for this list, this
        scope, these filters and this order.
        """
        sorting, place = self._sorting(request.order), None
        binding = self._binding(request, scope)
        if request.cursor is not None:
            place = reader.cursors.open(request.cursor, binding=binding)
        values, records = await self._read(reader, request, scope, place)

        shown, next_cursor = records[: request.size], None
        items = self._items(shown)
        if len(records) > request.size:
            place = sorting.write(tuple(shown[-1]))
            next_cursor = reader.cursors.seal(place, binding=binding)
        if request.cursor is not None:
            return Slice.after_cursor(items, request, next_cursor=next_cursor)
        total = await self._total(reader, request, values, seen=len(records))
        return Slice.numbered(items, request, total=total, next_cursor=next_cursor)

    async def batches(
        self, reader: Reader, request: PageRequest, **scope: Any
    ) -> AsyncIterator[list[R]]:
        """Read all rows, of which there are too many for one answer, page by page.

        Each is a read of its own, and nothing is held between two of them: a row that
        comes, goes or moves meanwhile may be told of or not.
        """
        sorting, place = self._sorting(request.order), None
        is_more = True
        while is_more:
            _, records = await self._read(reader, request, scope, place)
            yield self._items(records[: request.size])
            is_more = len(records) > request.size
            if is_more:
                place = sorting.write(tuple(records[request.size - 1]))

    async def _read(
        self,
        reader: Reader,
        request: PageRequest,
        scope: dict[str, Any],
        place: bytes | None,
    ) -> tuple[dict[str, Any], Sequence[asyncpg.Record]]:
        """Read a page and one row more; return the values of its parameters, too."""
        if scope.keys() != self._scope:
            raise TypeError(f"the scope of {self._name} is {sorted(self._scope)}")
        values = {**scope, **request.filters, _LIMIT: request.size + 1}
        nulls: tuple[bool, ...] | None = None
        if place is None:
            values[_OFFSET] = request.offset
        else:
            before = self._sorting(request.order).read(place)
            nulls = tuple(value is None for value in before.values())
            values |= before
        query = self._page(request.order, frozenset(request.filters), nulls)
        return values, await reader.records(query, **values)

    def _items(self, records: Sequence[asyncpg.Record]) -> list[R]:
        return [self._row(*record[: len(self._columns)]) for record in records]

    async def _total(
        self, reader: Reader, request: PageRequest, values: dict[str, Any], *, seen: int
    ) -> int | None:
        """Count the rows, unless those that were seen tell how many there are."""
        least = request.offset + seen
        if seen <= request.size and (seen > 0 or request.page == 1):
            return least
        query = self._count(frozenset(request.filters))
        counted = await reader.one(query, **values)
        assert counted is not None
        # Between the two statements rows may have come and gone.
        total = max(counted, least) if seen else min(counted, least)
        return None if total > MAX_ROWS else total

    def _binding(self, request: PageRequest, scope: Mapping[str, Any]) -> bytes:
        """Tell for what a cursor of this request is good."""
        filters = sorted(request.filters.items())
        return to_json([self._name, sorted(scope.items()), request.order, filters])

    def _make_sorting(self, order: Order) -> Sorting:
        named = [(self._sorts[name], descending) for name, descending in order]
        if self._key not in dict(named):
            named.append((self._key, named[0][1]))
        keys = tuple(
            SortKey(
                column,
                descending=descending,
                nullable=self._may_lack_rows or getattr(column, "nullable", True),
                parameter=f"_after_{number}",
            )
            for number, (column, descending) in enumerate(named)
        )
        return Sorting(keys, self._columns)

    def _make_page(
        self,
        order: Order,
        given: frozenset[str],
        nulls: tuple[bool, ...] | None,
    ) -> Query[tuple[Any, ...]]:
        """Compile the statement of one shape; ``nulls`` are those behind a cursor."""
        sorting = self._sorting(order)
        statement = (
            self._filtered(given)
            .add_columns(*sorting.added)
            .order_by(*(key.direction for key in sorting.keys))
            .limit(bindparam(_LIMIT, type_=Integer))
        )
        if nulls is None:
            statement = statement.offset(bindparam(_OFFSET, type_=Integer))
        else:
            statement = statement.where(follow(sorting.keys, nulls))
        return Query(statement, _as_it_is, context=self._context)

    def _make_count(self, given: frozenset[str]) -> Query[int]:
        """Compile the statement that counts no further than is told."""
        rows = (
            self._filtered(given)
            .with_only_columns(literal_column("1"), maintain_column_froms=True)
            .limit(MAX_ROWS + 1)
            .subquery()
        )
        return Query(select(func.count()).select_from(rows), int, context=self._context)

    def _filtered(self, given: frozenset[str]) -> Select[*tuple[Any, ...]]:
        return self._rows.where(*(self._filters[name] for name in sorted(given)))

    def _require_sound_filters(self) -> None:
        for name, condition in self._filters.items():
            if _parameters(condition) != {name} or name in self._scope:
                message = f"{self._name}: the filter {name} needs that parameter only"
                raise ValueError(message)


def _as_it_is(*columns: Any) -> tuple[Any, ...]:
    return columns


def _column(expression: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    """Return the column itself of an attribute of a model."""
    return select(expression).selected_columns[0]


def _parameters(clause: Select[*tuple[Any, ...]] | ColumnElement[Any]) -> set[str]:
    """Return the names of what has to be given to run a part of a statement."""
    found = visitors.iterate(clause)
    return {p.key for p in found if isinstance(p, BindParameter) and p.required}


def _has_outer_join(rows: Select[*tuple[Any, ...]]) -> bool:
    """Tell whether columns can be empty that are never so in their table."""
    found = [e for source in rows.get_final_froms() for e in visitors.iterate(source)]
    return any(isinstance(e, Join) and (e.isouter or e.full) for e in found)
