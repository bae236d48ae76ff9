"""No row of one organization reaches another, though a statement forgets its filter."""

import re
from collections.abc import AsyncIterator, Sequence
from secrets import randbits
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from fastapi import FastAPI
from httpx2 import Response
from sqlalchemy import Table, true

from app.config import Settings
from app.db.connections import Connection
from app.db.reader import Reader
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import enter
from app.errors import NotFound
from app.models.base import new_id
from app.policy import OPERATIONS as POLICY
from app.policy import Who
from app.resources import Resources
from tests.contract.conftest import every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.everybody import Kind
from tests.faults.switches import take_turns
from tests.tenants import TABLES, Side, side

FILTER = re.compile(
    r"\b(\w+\.organization_id|memberships\.user_id|organizations\.id|\w+\.email)"
    r" = (\$\d+::\w+|\(SELECT users\.email[^)]*\))"
)
READS = [
    one
    for one in OPERATIONS
    if one.method == "GET"
    and re.search(r"organizations|invitations", one.path)
    and POLICY[one.id] != Who.SUPERUSER
]


@pytest.fixture(scope="module")
async def ours(app: FastAPI) -> Side:
    return await side(app)


@pytest.fixture(scope="module")
async def theirs(app: FastAPI) -> Side:
    return await side(app)


@pytest.fixture
async def served(settings: Settings) -> AsyncIterator[Connection]:
    """A connection of the role that serves requests."""
    assert settings.DATABASE_URL is not None
    connection = await asyncpg.connect(settings.DATABASE_URL.get_secret_value())
    yield connection
    await connection.close()


async def set_context(connection: Connection, **settings: object) -> None:
    for name, value in settings.items():
        await connection.execute(
            "SELECT set_config($1, $2, true)", f"app.{name}", str(value)
        )


every_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)


class TestTables:
    @every_table
    async def test_show_the_rows_of_one_organization(
        self, served: Connection, ours: Side, theirs: Side, table: Table
    ) -> None:
        query = f"SELECT organization_id FROM {table.name}"
        assert await served.fetch(query) == []
        for shown in (ours, theirs, ours):
            async with served.transaction():
                await set_context(served, organization_id=shown.id)
                rows = {row[0] for row in await served.fetch(query)}
            assert rows == {shown.id}, (
                "both have a row in each table: see tests.tenants"
            )
        assert await served.fetch(query) == []

    @every_table
    async def test_let_no_row_into_another_organization(
        self, served: Connection, ours: Side, theirs: Side, table: Table
    ) -> None:
        async with served.transaction():
            await set_context(served, organization_id=ours.id)
            found = await served.fetchrow(f"SELECT * FROM {table.name} LIMIT 1")
        assert found
        generated = {column.name for column in table.c if column.identity is not None}
        row = {name: value for name, value in found.items() if name not in generated}
        row |= {"id": new_id(), "organization_id": theirs.id}
        places = ", ".join(f"${number}" for number in range(1, len(row) + 1))
        copy = f"INSERT INTO {table.name} ({', '.join(row)}) VALUES ({places})"
        move = f"UPDATE {table.name} SET organization_id = $1"
        for statement, values in ((copy, [*row.values()]), (move, [theirs.id])):
            async with served.transaction():
                await set_context(served, organization_id=ours.id)
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    async with served.transaction():
                        await served.execute(statement, *values)

    @every_table
    async def test_change_nothing_of_another_organization(
        self, served: Connection, ours: Side, theirs: Side, table: Table
    ) -> None:
        if table.name == "audit_events":
            return  # which nobody changes at all
        for statement in (
            f"UPDATE {table.name} SET organization_id = $1 WHERE organization_id = $1",
            f"DELETE FROM {table.name} WHERE organization_id = $1",
        ):
            async with served.transaction():
                await set_context(served, organization_id=ours.id)
                assert (await served.execute(statement, theirs.id)).endswith(" 0")

    @every_table
    @pytest.mark.usefixtures("theirs")
    async def test_show_a_user_no_more_than_what_is_about_them(
        self, served: Connection, ours: Side, table: Table
    ) -> None:
        person = ours.people.accounts[Kind.VIEWER].user
        own = {"memberships": "user_id", "invitations": "email"}
        async with served.transaction():
            await set_context(served, user_id=person.id)
            rows = await served.fetch(f"SELECT * FROM {table.name}")
            names = await served.fetch("SELECT id FROM organizations")
        assert [row["id"] for row in names] == [ours.id]
        for row in rows:
            assert row[own[table.name]] in {person.id, person.email}

    @every_table
    async def test_open_to_nobody_for_saying_so(
        self, served: Connection, ours: Side, table: Table
    ) -> None:
        person = ours.people.accounts[Kind.OWNER].user
        async with served.transaction():
            await set_context(served, system="on", superuser_id=person.id)
            for name in (table.name, "organizations"):
                assert await served.fetch(f"SELECT * FROM {name}") == []


class Careless:
    """Runs the reads of the application without their filters by organization."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run: list[tuple[str, Sequence[Any]]] = []
        fetch = Reader._fetch_once

        async def fetch_all(reader: Reader, sql: str, values: Sequence[Any]) -> Any:
            if "set_config" in sql and "user_sessions" not in sql:
                sql, found = FILTER.subn(r"(\2 IS NOT NULL OR true)", sql)
                self.run += [(sql, values)] * bool(found)
            return await fetch(reader, sql, values)

        monkeypatch.setattr(Reader, "_fetch_once", fetch_all)


class TestReads:
    @every(READS)
    async def test_tell_nothing_of_others_without_their_filter(
        self,
        operation: Operation,
        ours: Side,
        theirs: Side,
        owner_connection: Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        careless = Careless(monkeypatch)
        scene = ours.people.scene(Kind.OWNER)
        sample = await sample_of(operation, scene)
        response = await send(scene, operation, sample)
        assert response.is_success
        assert not [name for name in names_of(theirs) if name in response.text]
        # The owner of the tables sees them by the same statements.
        assert careless.run
        for sql, values in careless.run:
            seen = await owner_connection.fetch(sql, *values)
            assert len(seen) > rows_of(response)

    @every([one for one in READS if "cursor" in one.query])
    async def test_take_no_cursor_of_another_organization(
        self, operation: Operation, ours: Side, theirs: Side
    ) -> None:
        cursors = []
        for one in (ours, theirs):
            scene = one.people.scene(Kind.OWNER)
            sample = await sample_of(operation, scene)
            page = await send(scene, operation, sample, params={"size": 1})
            cursors.append(page.json()["next_cursor"])
        scene = ours.people.scene(Kind.OWNER)
        sample = await sample_of(operation, scene)
        answers = [
            await send(scene, operation, sample, params={"size": 1, "cursor": cursor})
            for cursor in cursors
        ]
        assert [answer.status_code for answer in answers] == [200, 422]


def rows_of(response: Response) -> int:
    """Count what an answer shows: a page, one resource, or the lines of a file."""
    if response.headers["content-type"] != "application/json":
        return len(response.text.splitlines()) - 1
    return len(response.json().get("items", "1"))


def names_of(one: Side) -> set[str]:
    """Return what would give an organization away: its people and its slug."""
    people = [one.people.accounts[kind].user for kind in (Kind.OWNER, Kind.VIEWER)]
    texts = {text for user in people for text in (str(user.id), user.email)}
    return {*texts, one.people.tenant.slug, str(one.id)}


class TestRepositories:
    @pytest.mark.parametrize(
        "repository", ScopedRepository.__subclasses__(), ids=lambda one: one.__name__
    )
    async def test_find_nothing_of_others_without_their_filter(
        self,
        repository: type[ScopedRepository[Any]],
        resources: Resources,
        ours: Side,
        theirs: Side,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def of(row: Any) -> UUID:
            found: UUID = getattr(row, "organization_id", row.id)
            return found

        async with resources.sessions() as session:
            await enter(session, organization_id=theirs.id)
            (foreign, *_) = await session.scalars(repository(session, theirs.id).own())
        monkeypatch.setattr(repository, "is_own", lambda _: true())
        async with resources.sessions() as session:
            await enter(session, organization_id=ours.id)
            rows = repository(session, ours.id)
            found = list(await session.scalars(rows.own()))
            assert {of(row) for row in found} == {ours.id}
            with pytest.raises(NotFound):
                await rows.lock(foreign.id)


async def test_taking_turns_on_one_connection_leaves_nothing_behind(
    settings: Settings,
) -> None:
    seed = randbits(32)  # `python -m tests.faults.switches` takes thousands of turns
    turns = await take_turns(settings, switches=150, seed=seed)
    assert not turns.leaks, seed
