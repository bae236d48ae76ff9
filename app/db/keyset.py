"""Keyset pages: the order of a list, and the condition for what follows a row in it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import GenericAlias
from typing import Any

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Enum,
    String,
    and_,
    bindparam,
    false,
    or_,
    true,
    tuple_,
)

from app.pagination import MAX_SORT_KEYS, invalid_cursor

MAX_SORTED_TEXT = 700
"""Characters of the columns of one order, for which a cursor has room in UTF-8."""


@dataclass(frozen=True, slots=True)
class SortKey:
    """A column that a list is sorted by, where PostgreSQL takes null as the largest."""

    column: ColumnElement[Any]
    descending: bool
    nullable: bool
    parameter: str
    """The name under which a statement gets the value of the row before."""

    @property
    def direction(self) -> ColumnElement[Any]:
        return self.column.desc() if self.descending else self.column.asc()

    @property
    def value(self) -> BindParameter[Any]:
        return bindparam(self.parameter, type_=self.column.type)

    def ties(self, *, null: bool) -> ColumnElement[bool]:
        return self.column.is_(None) if null else self.column == self.value

    def follows(self, *, null: bool) -> ColumnElement[bool]:
        if self.descending:
            return self.column.is_not(None) if null else self.column < self.value
        if null:
            return false()
        beyond = self.column > self.value
        return or_(beyond, self.column.is_(None)) if self.nullable else beyond

    def bound(self, *, null: bool) -> ColumnElement[bool]:
        """Return what an index can use: it is true of all rows that tie or follow."""
        if self.descending:
            return true() if null else self.column <= self.value
        if null:
            return self.column.is_(None)
        return true() if self.nullable else self.column >= self.value


def follow(keys: Sequence[SortKey], nulls: Sequence[bool]) -> ColumnElement[bool]:
    """Return the condition for the rows after one; ``nulls`` tells its empty values."""
    if _compares_as_a_row(keys, nulls):
        columns = tuple_(*(key.column for key in keys))
        values = tuple_(*(key.value for key in keys))
        return columns < values if keys[0].descending else columns > values
    condition: ColumnElement[bool] = false()
    for key, null in reversed(list(zip(keys, nulls, strict=True))):
        condition = or_(key.follows(null=null), and_(key.ties(null=null), condition))
    return and_(keys[0].bound(null=nulls[0]), condition)


def _compares_as_a_row(keys: Sequence[SortKey], nulls: Sequence[bool]) -> bool:
    """Tell whether ``(a, b) < (x, y)`` says it all, which an index answers best.

    A comparison with null is not true. Running down that is right, for nulls come
    before every value; running up it would lose them.
    """
    one_way = len({key.descending for key in keys}) == 1
    nulls_come_before = keys[0].descending or not any(key.nullable for key in keys)
    return one_way and nulls_come_before and not any(nulls)


class Sorting:
    """One order of a list, and how its values get from a row into a cursor and back."""

    def __init__(
        self, keys: Sequence[SortKey], selected: Sequence[ColumnElement[Any]]
    ) -> None:
        """Make an order of a SELECT of the ``selected`` columns."""
        positions = {column: number for number, column in enumerate(selected)}
        self.keys = keys
        self.added: list[ColumnElement[Any]] = []
        """Columns that the SELECT needs besides, at its end."""
        for key in keys:
            if key.column not in positions:
                positions[key.column] = len(selected) + len(self.added)
                self.added.append(key.column)
        self._positions = [positions[key.column] for key in keys]
        types = tuple(_python_type(key.column) | None for key in keys)
        place: Any = GenericAlias(tuple, types)
        self._place: TypeAdapter[tuple[Any, ...]] = TypeAdapter(place)

    def write(self, record: Sequence[Any]) -> bytes:
        """Write the values of a row that came of the statement."""
        return self._place.dump_json(tuple(record[at] for at in self._positions))

    def read(self, place: bytes) -> dict[str, Any]:
        """Read what `write` has written, by the names of the parameters.

        Raises `ValidationFailed` for what an earlier version of the list has written.
        """
        try:
            values = self._place.validate_json(place)
        except ValidationError:
            raise invalid_cursor() from None
        return {
            key.parameter: value for key, value in zip(self.keys, values, strict=True)
        }


def require_room_in_a_cursor(columns: Iterable[ColumnElement[Any]]) -> None:
    """Refuse to sort by texts that are too long to be written into a cursor."""
    texts = [column.type for column in columns if isinstance(column.type, String)]
    if any(text.length is None for text in texts):
        raise ValueError("text to sort by needs a bound, as String(100)")
    longest = sorted((text.length or 0 for text in texts), reverse=True)
    if sum(longest[:MAX_SORT_KEYS]) > MAX_SORTED_TEXT:
        raise ValueError(f"text to sort by: {MAX_SORTED_TEXT} characters fit together")


def _python_type(column: ColumnElement[Any]) -> Any:
    """Return the type in which the driver gives the values of a column."""
    # Of an enum it gives the label, whatever class the ORM makes of that.
    return str if isinstance(column.type, Enum) else column.type.python_type
