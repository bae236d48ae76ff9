"""A table of the tests' own, full of equal values and nulls, and lists of it."""

import json
import random
from collections.abc import Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import create_async_engine

from app.db.connections import Connection
from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.pagination import Order, PageRequest
from tests.databases import Database

LONG, LONGER, DEEP = 10_000, 10_001, 60_000  # owners of as many rows
BY_AGE: Order = (("made_at", True),)

metadata = sa.MetaData()
things = sa.Table(
    "things",
    metadata,
    sa.Column("id", sa.Uuid, primary_key=True),
    sa.Column("rank", sa.BigInteger),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("price", sa.Numeric, nullable=False),
    sa.Column("state", sa.Enum("low", "high", name="state"), nullable=False),
    sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("owner", sa.Integer, nullable=False),
    sa.Index("ix_things_made_at", "owner", "made_at", "id"),
)


@dataclass(frozen=True, slots=True)
class Thing:
    id: UUID
    rank: int | None
    name: str
    price: Decimal
    state: str
    made_at: datetime


SORTS: dict[str, sa.ColumnElement[Any]] = {
    name: things.c[name] for name in ("rank", "name", "price", "state", "made_at")
}
FILTERS = {
    "name": things.c.name == sa.bindparam("name"),
    "min_price": things.c.price >= sa.bindparam("min_price"),
}


def listing(
    name: str = "things",
    *,
    rows: sa.Select[*tuple[Any, ...]] | None = None,
    sorts: dict[str, sa.ColumnElement[Any]] = SORTS,
    filters: dict[str, sa.ColumnElement[bool]] = FILTERS,
) -> Listing[Thing]:
    rows = sa.select(*(things.c[c] for c in Thing.__slots__)) if rows is None else rows
    rows = rows.where(things.c.owner == sa.bindparam("owner"))
    return Listing(name, rows, Thing, key=things.c.id, sorts=sorts, filters=filters)


THINGS = listing()


def _some_things(count: int) -> list[Thing]:
    chance = random.Random(7)
    start = datetime(2026, 1, 31, tzinfo=UTC)
    return [
        Thing(
            id=UUID(int=chance.getrandbits(128)),
            rank=chance.choice([None, -1, 0, 2**40]),
            name=chance.choice(["", "a", "B", "é", "\U0001f600", '日"\\']),
            price=Decimal(chance.choice(["0.1", "0.10000000000000001", "1000000000"])),
            state=chance.choice(["low", "high"]),
            made_at=start + timedelta(microseconds=chance.choice([0, 1, 10**10])),
        )
        for _ in range(count)
    ]


ROWS = _some_things(40)
"""What owner 1 has."""


async def make_table(database: Database) -> None:
    url = database.owner_url.replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()
    owner = await asyncpg.connect(database.owner_url)
    await insert(owner, ROWS, owner=1)
    for count in (LONG, LONGER, DEEP):
        await owner.execute(
            "INSERT INTO things SELECT gen_random_uuid(), $1, 'x', n, 'low',"
            " TIMESTAMPTZ '2026-01-31 12:00Z' + n % 1000 * interval '1 second', $1"
            " FROM generate_series(1, $1::integer) n",
            count,
        )
    await owner.execute("GRANT SELECT ON things TO zenith_app")
    await owner.execute("VACUUM ANALYZE things")
    await owner.close()


async def insert(connection: Connection, rows: Iterable[Thing], *, owner: int) -> None:
    columns = [*Thing.__slots__, "owner"]
    records = [(*astuple(row), owner) for row in rows]
    await connection.copy_records_to_table("things", records=records, columns=columns)


def in_order(rows: Iterable[Thing], order: Order) -> list[Thing]:
    """Sort as PostgreSQL does, where null is the largest value."""
    ordered = list(rows)
    for name, descending in reversed([*order, ("id", order[0][1])]):
        ordered.sort(key=lambda row: _comparable(row, name), reverse=descending)
    return ordered


def _comparable(row: Thing, name: str) -> tuple[bool, Any]:
    value = getattr(row, name)
    if name == "state":  # as the type declares them
        return False, ("low", "high").index(value)
    return (True, 0) if value is None else (False, value)


async def plan_of(
    connection: Connection, query: Query[Any], values: dict[str, Any]
) -> list[dict[str, Any]]:
    """Run a query, and return every node of its plan."""
    sql = f"EXPLAIN (ANALYZE, FORMAT JSON) {query.sql}"
    told = await connection.fetchval(sql, *query.arguments(values))
    waiting, nodes = [json.loads(told)[0]["Plan"]], []
    while waiting:
        nodes.append(waiting.pop())
        waiting += nodes[-1].get("Plans", [])
    return nodes


async def walk(
    reader: Reader,
    request: PageRequest,
    *,
    owner: int = 1,
    listing: Listing[Thing] = THINGS,
) -> list[Thing]:
    """Follow the cursors to the end."""
    found: list[Thing] = []
    for _ in range(1000):
        page = await listing.page(reader, request, owner=owner)
        assert len(page.items) == request.size or page.next_cursor is None
        found += page.items
        if page.next_cursor is None:
            return found
        assert page.items
        request = replace(request, cursor=page.next_cursor)
    raise AssertionError("no end")
