"""The schema: one tree, up and down, one process at a time."""

import asyncio
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.embedded import EmbeddedPostgres
from app.db.migrations import (
    SCRIPTS,
    MigrationError,
    current_revision,
    head_revision,
    migrate,
    migration_engine,
)
from app.models import Base
from tests.databases import Database, Databases

APP_ROLE = "zenith_app"


def silent(_: str) -> None:
    """Take a notice that the test is not about."""


@pytest.fixture
async def empty(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh(migrated=False) as database:
        yield database


@pytest.fixture
async def owner(empty: Database) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(empty.owner_url)
    yield connection
    await connection.close()


def config_for(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


async def alembic(database: Database, step: Any, *arguments: Any) -> None:
    """Run one of Alembic's commands."""
    engine = migration_engine(database.owner_url)
    async with engine.connect() as connection:
        await connection.run_sync(lambda c: step(config_for(c), *arguments))
    await engine.dispose()


async def drift(connection: AsyncConnection) -> list[Any]:
    def compare(sync: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(sync, opts=options)
        return list(compare_metadata(context, Base.metadata))

    return await connection.run_sync(compare)


def dump(postgres: EmbeddedPostgres, database: Database) -> str:
    """Write the schema out: tables, policies, triggers, functions and grants."""
    result = subprocess.run(
        [
            postgres.bin_dir / "pg_dump",
            "--schema-only",
            "--restrict-key=fixed",
            database.owner_url,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return result.stdout


class TestTree:
    def test_is_one_line_of_numbered_revisions(self) -> None:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS))
        script = ScriptDirectory.from_config(config)
        revisions = [r.revision for r in script.walk_revisions()][::-1]
        assert revisions == [f"{n:04}" for n in range(1, len(revisions) + 1)]
        assert script.get_current_head() == head_revision()
        for revision in script.walk_revisions():
            assert Path(revision.path).name.startswith(f"{revision.revision}_")

    def test_every_migration_bounds_its_locks(self) -> None:
        for path in (SCRIPTS / "versions").glob("*.py"):
            bounds = re.findall(
                r"op\.execute\((LOCK_TIMEOUT|PATIENT)\)", path.read_text()
            )
            assert len(bounds) == 2, path.name


@pytest.mark.may_block
class TestMigrate:
    async def test_makes_the_schema_of_the_models(self, empty: Database) -> None:
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        engine = migration_engine(empty.owner_url)
        async with engine.connect() as connection:
            assert await drift(connection) == []
        await engine.dispose()
        assert await current_revision(empty.owner_url) == head_revision()

    async def test_goes_down_and_up_again_to_the_same_schema(
        self, postgres: EmbeddedPostgres, empty: Database, owner: Any
    ) -> None:
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        before = dump(postgres, empty)
        assert "CREATE TABLE public.users" in before
        assert "GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.users" in before
        await alembic(empty, command.downgrade, "base")
        tables = await owner.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
        assert [row["tablename"] for row in tables] == ["alembic_version"]
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        assert dump(postgres, empty) == before

    async def test_changes_nothing_the_second_time(
        self, postgres: EmbeddedPostgres, empty: Database
    ) -> None:
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        before = dump(postgres, empty)
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        assert dump(postgres, empty) == before

    async def test_several_at_once_wait_for_each_other(self, empty: Database) -> None:
        notices: list[str] = []
        await asyncio.gather(
            *(
                migrate(empty.owner_url, app_role=APP_ROLE, notice=notices.append)
                for _ in range(4)
            )
        )
        assert await current_revision(empty.owner_url) == head_revision()
        assert notices == ["Another process is migrating; waiting for it."] * 3

    async def test_a_killed_one_leaves_nothing_and_the_next_completes(
        self, empty: Database, owner: Any
    ) -> None:
        await owner.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        async with owner.transaction():
            # The migration stands in the middle of its transaction, at this lock.
            await owner.execute("LOCK TABLE alembic_version IN SHARE MODE")
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", MIGRATE_SLOWLY, empty.owner_url
            )
            await wait_for_lock(owner)
            process.kill()
            await process.wait()
        assert await owner.fetchval("SELECT to_regclass('users')") is None
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        assert await current_revision(empty.owner_url) == head_revision()

    async def test_a_locked_table_fails_it_and_changes_nothing(
        self, empty: Database, owner: Any
    ) -> None:
        await owner.execute("CREATE TABLE alembic_version (version_num varchar(32))")
        async with owner.transaction():
            await owner.execute("LOCK TABLE alembic_version IN SHARE MODE")
            with pytest.raises(MigrationError, match="locked"):
                await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        assert await owner.fetchval("SELECT to_regclass('users')") is None

    async def test_a_schema_of_a_later_version_is_refused(
        self, empty: Database, owner: Any
    ) -> None:
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        await owner.execute("UPDATE alembic_version SET version_num = '9999'")
        with pytest.raises(MigrationError, match="9999"):
            await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)


class TestData:
    async def test_users_of_before_are_found_and_signed_in_as_before(
        self, empty: Database, owner: Any
    ) -> None:
        await alembic(empty, command.upgrade, "0001")
        sign_up = (
            "INSERT INTO users (id, email, full_name, password_hash, created_at,"
            " updated_at) SELECT gen_random_uuid(), 'zoe-' || n || '@example.com',"
            " 'Zoë Müller', '!', now(), now() FROM generate_series($1::int, $2) n"
        )
        await owner.execute(sign_up, 1, 2500)
        await alembic(empty, command.upgrade, "0002")
        await owner.execute(sign_up, 2501, 2510)  # by the code before
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        found = (
            "SELECT count(*) FROM users WHERE array_to_tsvector("
            "string_to_array(search_text, ' ')) @@ $1::text::tsquery"
        )
        assert await owner.fetchval(found, "'zoe':* & 'mull':*") == 2510
        assert await owner.fetchval("SELECT max(version) FROM users") == 1

    async def test_what_was_cut_short_is_made_again(
        self, empty: Database, owner: Any
    ) -> None:
        await alembic(empty, command.upgrade, "0002")
        for name in ("search_text", "created_at_id"):
            await owner.execute(f"CREATE INDEX ix_users_{name} ON users (email)")
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        engine = migration_engine(empty.owner_url)
        async with engine.connect() as connection:
            assert await drift(connection) == []
        await engine.dispose()


MIGRATE_SLOWLY = """
import asyncio, sys
from app.db import connections, migrations
connections.LOCK_SECONDS = 60
asyncio.run(migrations.migrate(sys.argv[1], app_role=None, notice=print))
"""


async def wait_for_lock(owner: Any) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    while not await owner.fetchval(waiting):  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0.05)


class TestPrivileges:
    async def test_the_app_role_changes_rows_and_no_table(
        self, databases: Databases
    ) -> None:
        async with databases.fresh() as database:
            app = await asyncpg.connect(database.app_url)
            assert await app.fetchval("SELECT count(*) FROM users") == 0
            for forbidden in (
                "CREATE TABLE mine (id int)",
                "ALTER TABLE users ADD COLUMN mine int",
                "TRUNCATE users",
                "DROP TABLE users",
                "UPDATE alembic_version SET version_num = '0000'",
                "CREATE SCHEMA mine",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(forbidden)
            await app.close()

    async def test_a_role_that_comes_later_is_served_by_the_next_migrate(
        self, empty: Database
    ) -> None:
        await migrate(empty.owner_url, app_role=None, notice=silent)
        app = await asyncpg.connect(empty.app_url)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await app.fetchval("SELECT count(*) FROM users")
        await migrate(empty.owner_url, app_role=APP_ROLE, notice=silent)
        assert await app.fetchval("SELECT count(*) FROM users") == 0
        await app.close()

    async def test_a_role_with_a_strange_name_is_quoted(
        self, empty: Database, owner: Any
    ) -> None:
        superuser = await asyncpg.connect(empty.superuser_url)
        role = f'o"dd; {empty.name}'
        quoted = '"' + role.replace('"', '""') + '"'
        await superuser.execute(f"CREATE ROLE {quoted}")
        await migrate(empty.owner_url, app_role=role, notice=silent)
        has = "SELECT has_table_privilege($1, 'users', 'SELECT')"
        assert await owner.fetchval(has, role)
        await superuser.execute(f"DROP OWNED BY {quoted}; DROP ROLE {quoted}")
        await superuser.close()
