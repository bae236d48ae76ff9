"""Changes of rows in migrations: all organizations' rows, or a failure."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.data_migrations import change_rows
from app.db.migrations import SCRIPTS, MigrationError, migration_engine
from tests.databases import Database, Databases
from tests.db.data_migrations import offences

ORGANIZATIONS = 3
RENAME = "UPDATE organizations SET name = 'renamed'"
OF_TENANTS = "0008"  # the first migration with row-level security


class House:
    """A database of one's own, and the role that owns it, which migrates."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self._database = database
        self._connection = connection

    async def found(self) -> None:
        """Store organizations, as a superuser, whom nothing hides rows from."""
        connection = await asyncpg.connect(self._database.superuser_url)
        await connection.execute(
            "INSERT INTO organizations (id, name, slug, created_at, updated_at)"
            " SELECT uuidv7(), 'name', 'slug-' || n, now(), now()"
            " FROM generate_series(1, $1::int) n",
            ORGANIZATIONS,
        )
        await connection.close()

    async def names(self) -> set[str]:
        connection = await asyncpg.connect(self._database.superuser_url)
        rows = await connection.fetch("SELECT name FROM organizations")
        await connection.close()
        return {name for (name,) in rows}

    async def migrate(self, step: Callable[[Operations], Any]) -> Any:
        """Do what a migration does, in a transaction as it has one."""

        def run(connection: Connection) -> Any:
            with connection.begin():
                return step(Operations(MigrationContext.configure(connection)))

        return await self._connection.run_sync(run)

    async def migrate_in_autocommit(self, step: Callable[[Operations], Any]) -> Any:
        """Do what a migration does in an autocommit block."""

        def run(connection: Connection) -> Any:
            context = MigrationContext.configure(
                connection, opts={"transaction_per_migration": True}
            )
            with (
                context.begin_transaction(_per_migration=True),
                context.autocommit_block(),
            ):
                return step(Operations(context))

        return await self._connection.run_sync(run)

    async def change(self, statement: Any, **options: Any) -> Any:
        options = {"table": "organizations", **options}
        return await self.migrate(lambda op: change_rows(op, statement, **options))

    async def setting(self) -> str | None:
        current = "SELECT current_setting('app.system', true)"
        value: str | None = await self._connection.scalar(sa.text(current))
        await self._connection.rollback()
        return value


@pytest.fixture
async def house(databases: Databases) -> AsyncIterator[House]:
    async with databases.fresh() as database:
        engine = migration_engine(database.owner_url)
        async with engine.connect() as connection:
            yield House(database, connection)
        await engine.dispose()


class TestChangeRows:
    async def test_without_it_no_row_is_changed_and_nothing_is_said(
        self, house: House
    ) -> None:
        await house.found()
        plain = await house.migrate(
            lambda op: op.get_bind().execute(sa.text(RENAME)).rowcount
        )
        assert plain == 0
        assert await house.names() == {"name"}

    @pytest.mark.parametrize("way", ["migrate", "migrate_in_autocommit"])
    async def test_changes_all_rows_and_ends_its_context(
        self, house: House, way: str
    ) -> None:
        await house.found()

        def step(op: Operations) -> tuple[int, int]:
            changed = change_rows(op, RENAME, table="organizations")
            plain = "UPDATE organizations SET name = 'by chance'"
            return changed, op.get_bind().execute(sa.text(plain)).rowcount

        assert await getattr(house, way)(step) == (ORGANIZATIONS, 0)
        assert await house.names() == {"renamed"}
        assert not await house.setting()

    @pytest.mark.parametrize("way", ["migrate", "migrate_in_autocommit"])
    @pytest.mark.parametrize(
        ("statement", "error"),
        [
            ("UPDATE organizations SET name = NULL", IntegrityError),
            (f"{RENAME} WHERE false", MigrationError),
        ],
    )
    async def test_ends_its_context_when_it_fails(
        self, house: House, way: str, statement: str, error: type[Exception]
    ) -> None:
        await house.found()

        def step(op: Operations) -> int:
            return change_rows(op, statement, table="organizations")

        with pytest.raises(error):
            await getattr(house, way)(step)
        assert not await house.setting()

    async def test_takes_parameters_and_constructs(self, house: House) -> None:
        await house.found()
        table = sa.table("organizations", sa.column("name"), sa.column("slug"))
        named = "UPDATE organizations SET name = :name WHERE slug = 'slug-1'"
        assert await house.change(named, parameters={"name": "one"}) == 1
        gone = sa.delete(table).where(table.c.slug != "slug-1")
        assert await house.change(gone) == ORGANIZATIONS - 1
        assert await house.names() == {"one"}

    async def test_an_empty_database_has_nothing_to_change(self, house: House) -> None:
        assert await house.change(RENAME) == 0

    async def test_fails_when_rows_are_there_and_none_is_changed(
        self, house: House
    ) -> None:
        await house.found()
        nothing = f"{RENAME} WHERE slug = 'no such slug'"
        with pytest.raises(MigrationError, match="changed no row of organizations"):
            await house.change(nothing)
        with pytest.raises(MigrationError, match="where name = 'name'"):
            await house.change(nothing, where="name = 'name'")

    async def test_is_content_where_no_row_needs_it(self, house: House) -> None:
        await house.found()
        nothing = f"{RENAME} WHERE name = 'odd'"
        assert await house.change(nothing, where="name = 'odd'") == 0
        assert await house.change(nothing, may_be_empty=True) == 0

    async def test_new_rows_are_made_of_those_of_another_table(
        self, house: House
    ) -> None:
        fill = (
            "INSERT INTO outbox (id, organization_id, type, subject, data, created_at)"
            " SELECT uuidv7(), id, 'organization.updated', id, '{}', now()"
            " FROM organizations"
        )

        tables = {"table": "outbox", "of": "organizations"}
        assert await house.change(fill, **tables) == 0
        await house.found()
        assert await house.change(fill, **tables) == ORGANIZATIONS
        with pytest.raises(MigrationError, match="there are rows of organizations"):
            await house.change(f"{fill} WHERE false", **tables)

    @pytest.mark.parametrize(
        "statement",
        ["UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events"],
    )
    async def test_refuses_a_table_that_even_the_system_may_not_change(
        self, house: House, statement: str
    ) -> None:
        with pytest.raises(MigrationError, match="No policy of audit_events"):
            await house.change(statement, table="audit_events")

    async def test_refuses_what_is_no_table(self, house: House) -> None:
        with pytest.raises(MigrationError, match="which is no table"):
            await house.change(RENAME, table="nothing")

    async def test_is_the_same_for_a_table_without_policies(self, house: House) -> None:
        statement = "DELETE FROM alembic_version WHERE version_num = 'x'"
        with pytest.raises(MigrationError, match="changed no row"):
            await house.change(statement, table="alembic_version")


class TestOffences:
    @pytest.mark.parametrize(
        "line",
        [
            'op.execute("UPDATE memberships SET role = 1")',
            'op.execute("update only memberships as m\\n set role = 1")',
            'op.execute("""WITH x AS (SELECT) DELETE FROM memberships""")',
            'op.execute(f"INSERT INTO {table} SELECT 1")',
            'op.execute(f"UPDATE {table} SET x = 1")',
            'X = "DELETE FROM x"\nchange_rows(op, X, table="x")\nop.execute(X)',
            'X = "CREATE TABLE x (); INSERT INTO x VALUES (1)"',
            'F = "CREATE FUNCTION f() AS $$ BEGIN; END $$; DELETE FROM x"',
            "op.bulk_insert(table, [])",
            "op.get_bind().execute(sa.update(table).values(x=1))",
            "connection.execute(table.delete())",
        ],
    )
    def test_finds_what_goes_past_the_helper(self, line: str) -> None:
        assert len(offences(line)) == 1

    @pytest.mark.parametrize(
        "line",
        [
            '"""UPDATE x SET y = 1 is what it does."""',
            'change_rows(op, "UPDATE x SET y = 1", table="x")',
            'change_rows(op, sa.update(table).values(y=1), table="x")',
            'X = "DELETE FROM x"\nchange_rows(op, X, table="x")',
            'op.execute("CREATE POLICY p ON x FOR INSERT WITH CHECK (true)")',
            'F = "CREATE FUNCTION f() AS $$ BEGIN; DELETE FROM x; END $$"',
            'T = "x uuid REFERENCES y ON UPDATE SET NULL ON DELETE SET NULL"',
            'op.execute("SELECT FROM x FOR UPDATE SKIP LOCKED")',
        ],
    )
    def test_lets_everything_else_pass(self, line: str) -> None:
        assert offences(line) == []

    @pytest.mark.parametrize(
        "path",
        [
            path
            for path in sorted((SCRIPTS / "versions").glob("[0-9]*.py"))
            if path.name >= OF_TENANTS
        ],
        ids=lambda path: path.name,
    )
    def test_no_migration_changes_rows_without_the_helper(self, path: Path) -> None:
        assert offences(path.read_text()) == []
