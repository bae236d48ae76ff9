"""The walls between organizations stand, and a table without one is found."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
)

from app.db.connections import Connection
from app.models import Base
from tests.databases import Database, Databases
from tests.db.row_security import (
    complaints,
    loose_keys,
    names_of_relations,
    unknown_tables,
)

APP_ROLE = "zenith_app"
TENANT = "nullif(current_setting('app.organization_id', true), '')::uuid"
THINGS = "CREATE TABLE things (id uuid PRIMARY KEY, organization_id uuid NOT NULL)"
ENABLE = "ALTER TABLE things ENABLE ROW LEVEL SECURITY"
FORCE = "ALTER TABLE things FORCE ROW LEVEL SECURITY"
POLICY = f"CREATE POLICY tenant ON things USING (organization_id = {TENANT})"
DEFINER = (
    "CREATE FUNCTION peep() RETURNS bigint LANGUAGE sql SECURITY DEFINER {options}"
    " AS $$ SELECT count(*) FROM public.organizations $$"
)


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    async with databases.fresh() as database:
        yield database


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


@pytest.fixture
async def owner(database: Database) -> AsyncIterator[Connection]:
    async with connected(database.owner_url) as connection:
        yield connection


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[Connection]:
    async with connected(database.superuser_url) as connection:
        yield connection


async def found(connection: Connection) -> list[str]:
    return await complaints(connection, app_role=APP_ROLE)


class TestDatabase:
    async def test_has_no_way_past_the_policies(self, owner: Connection) -> None:
        assert await found(owner) == []
        known = await names_of_relations(owner, app_role=APP_ROLE)
        assert {"organizations", "memberships", "audit_events"} <= set(known)
        assert unknown_tables(Base.metadata, known) == []

    async def test_a_table_without_a_wall_is_found(self, owner: Connection) -> None:
        await owner.execute(THINGS)
        assert await found(owner) == [
            "things: row-level security is not enabled",
            "things: row-level security is not forced",
            "things: no policy",
        ]
        await owner.execute(f"{ENABLE}; {FORCE}")
        assert await found(owner) == ["things: no policy"]
        await owner.execute(POLICY)
        assert await found(owner) == []
        await owner.execute("ALTER TABLE things NO FORCE ROW LEVEL SECURITY")
        assert await found(owner) == ["things: row-level security is not forced"]
        await owner.execute(f"{FORCE}; GRANT TRUNCATE ON things TO {APP_ROLE}")
        assert await found(owner) == [
            f"things: {APP_ROLE} may truncate it or refer to it"
        ]

    @pytest.mark.parametrize(
        ("policy", "complaint"),
        [
            ("USING (true)", "policy open asks for no setting"),
            ("FOR INSERT WITH CHECK (true)", "policy open asks for no setting"),
            (
                f"USING (organization_id = {TENANT}) WITH CHECK (true)",
                "policy open asks for no setting",
            ),
            (
                "USING (current_setting('app.system', true) = 'on')",
                "policy open lets the app role be the system",
            ),
        ],
    )
    async def test_a_policy_with_a_hole_is_found(
        self, owner: Connection, policy: str, complaint: str
    ) -> None:
        await owner.execute(f"{THINGS}; {ENABLE}; {FORCE}; {POLICY}")
        await owner.execute(f"CREATE POLICY open ON things {policy}")
        assert await found(owner) == [f"things: {complaint}"]

    async def test_a_view_that_asks_as_its_owner_is_found(
        self, owner: Connection
    ) -> None:
        await owner.execute("CREATE VIEW seen AS SELECT * FROM memberships")
        complaint = "seen: a view that does not ask as its caller"
        assert await found(owner) == [complaint]
        await owner.execute("ALTER VIEW seen SET (security_invoker = true)")
        assert await found(owner) == []
        await owner.execute("CREATE MATERIALIZED VIEW kept AS TABLE memberships")
        assert len(await found(owner)) == 1

    @pytest.mark.parametrize(
        ("options", "complaint"),
        [
            ("", "peep(): no search_path of its own"),
            (
                "SET search_path = public",
                "peep(): a search_path that others can write to",
            ),
        ],
    )
    async def test_a_function_of_the_owner_that_is_not_closed_is_found(
        self, owner: Connection, options: str, complaint: str
    ) -> None:
        await owner.execute(DEFINER.format(options=options))
        assert await found(owner) == [
            "peep(): not listed in app/db/privileges.py",
            complaint,
            "peep(): everybody may execute it",
        ]

    async def test_a_function_that_is_listed_and_not_there_is_found(
        self, owner: Connection
    ) -> None:
        await owner.execute("DROP FUNCTION api_key_of(bytea[])")
        assert await found(owner) == [
            "api_key_of(bytea[]): listed, but there is no such function"
        ]


class TestRole:
    async def test_one_that_may_too_much_is_found(
        self, database: Database, superuser: Connection
    ) -> None:
        # Roles belong to the whole server: that of the others stays as it is.
        role = f"strong_{database.name}"
        await superuser.execute(f"CREATE ROLE {role} SUPERUSER BYPASSRLS")
        try:
            of_role = await complaints(superuser, app_role=role)
            assert f"{role}: rolsuper" in of_role
            assert f"{role}: rolbypassrls" in of_role
            await superuser.execute(f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS")
            assert await complaints(superuser, app_role=role) == []
            await superuser.execute(
                f"GRANT zenith_owner TO {role};"
                f"CREATE SCHEMA own AUTHORIZATION {role};"
                f"CREATE TABLE own.things (organization_id uuid);"
                f"ALTER TABLE own.things OWNER TO {role};"
            )
            of_role = await complaints(superuser, app_role=role)
            assert {
                f"{role}: owns schema own",
                f"{role}: owns relation own.things",
                f"{role}: may create in schema public",
                f"{role}: is a member of zenith_owner",
                "own.things: no policy",
            } <= set(of_role)
        finally:
            await superuser.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


class TestKeys:
    def test_none_leads_out_of_its_organization(self) -> None:
        assert loose_keys(Base.metadata) == []
        keys = Base.metadata.tables["api_keys"].foreign_key_constraints
        assert "memberships" in {key.referred_table.name for key in keys}

    def test_one_that_does_is_found(self) -> None:
        metadata = MetaData()
        Table(
            "things",
            metadata,
            Column("id", Integer, primary_key=True),
            Column("organization_id", Integer),
            UniqueConstraint("organization_id", "id"),
        )
        Table(
            "parts",
            metadata,
            Column("organization_id", Integer),
            Column("other_id", Integer),
            Column("loose_id", ForeignKey("things.id")),
            Column("tight_id", Integer),
            ForeignKeyConstraint(
                ["organization_id", "tight_id"],
                ["things.organization_id", "things.id"],
            ),
            ForeignKeyConstraint(  # which has the column on one side only
                ["other_id", "tight_id"],
                ["things.organization_id", "things.id"],
            ),
        )
        assert sorted(loose_keys(metadata)) == [
            "parts: loose_id -> things",
            "parts: other_id, tight_id -> things",
        ]
