"""Rows that are found by their words."""

from typing import Any, ClassVar

from sqlalchemy import Table, Text, event, inspect
from sqlalchemy.orm import Mapped, mapped_column
from typing_extensions import override

from app.search import search_index, searchable


class Searchable:
    """Keeps the folded words of some fields in a column, with the index for them.

    The ORM fills it; who changes the fields by an UPDATE of their own sets it as well.
    """

    searched: ClassVar[tuple[str, ...]]
    """The fields by which a row is found."""

    search_text: Mapped[str] = mapped_column(Text, server_default="", deferred=True)

    @override
    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)  # which makes the table
        table = getattr(cls, "__table__", None)
        if isinstance(table, Table):
            search_index(f"ix_{table.name}_search_text", table.c.search_text)

    def words(self) -> str:
        """Fold the fields, as the column has them."""
        fields = [getattr(self, name) for name in self.searched]
        return searchable(*(text for text in fields if text is not None))


@event.listens_for(Searchable, "before_insert", propagate=True)
def _fill(_mapper: Any, _connection: Any, row: Searchable) -> None:
    row.search_text = row.words()


@event.listens_for(Searchable, "before_update", propagate=True)
def _refill(mapper: Any, connection: Any, row: Searchable) -> None:
    attributes = inspect(row).attrs
    if any(attributes[name].history.has_changes() for name in row.searched):
        _fill(mapper, connection, row)
