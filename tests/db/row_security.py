"""What is wrong with the walls between organizations."""

from collections.abc import AsyncIterator, Collection, Iterator

import asyncpg
from sqlalchemy import MetaData, Table

from app.db.connections import Connection
from app.db.privileges import FUNCTIONS

COLUMN = "organization_id"
SYSTEM = "app.system"

_OURS = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'"
_RELATIONS = f"""
    SELECT c.oid, c.oid::regclass::text AS name, c.relkind::text AS kind,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           has_table_privilege($1, c.oid, 'TRUNCATE, REFERENCES, TRIGGER')
               AS can_be_emptied,
           coalesce('security_invoker=true' = ANY (c.reloptions), false) AS invokes
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE {_OURS} AND c.relkind IN ('r', 'p', 'f', 'v', 'm')
        AND (c.oid = to_regclass('organizations') OR EXISTS (
            SELECT FROM pg_attribute a WHERE a.attrelid = c.oid
            AND a.attname = '{COLUMN}' AND NOT a.attisdropped))
    ORDER BY name
"""
_POLICIES = """
    SELECT p.polname::text AS name,
           pg_get_expr(p.polqual, p.polrelid) AS using,
           pg_get_expr(p.polwithcheck, p.polrelid) AS check,
           ARRAY(SELECT r.rolname::text FROM pg_roles r
                 WHERE r.oid = ANY (p.polroles)) AS roles
    FROM pg_policy p WHERE p.polrelid = $1
"""
_OWNED = f"""
    SELECT 'schema ' || n.nspname, n.nspowner FROM pg_namespace n
    UNION ALL
    SELECT 'relation ' || c.oid::regclass, c.relowner FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS}
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure, p.proowner FROM pg_proc p
    UNION ALL
    SELECT 'database ' || d.datname, d.datdba FROM pg_database d
"""
_ROLE = """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
    FROM pg_roles WHERE rolname = $1
"""
_FUNCTIONS = f"""
    SELECT p.oid, p.oid::regprocedure::text AS name,
           coalesce((SELECT setting FROM unnest(p.proconfig) AS setting
                     WHERE setting LIKE 'search_path=%'), '') AS path,
           EXISTS (SELECT FROM
                   aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS right_
                   WHERE right_.grantee = 0) AS is_public
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE {_OURS} AND p.prosecdef
"""


async def complaints(connection: Connection, *, app_role: str) -> list[str]:
    """Say where an organization's rows can be reached past the policies."""
    found = [complaint async for complaint in _about_tables(connection, app_role)]
    found += [complaint async for complaint in _about_role(connection, app_role)]
    return found + [complaint async for complaint in _about_functions(connection)]


async def _about_tables(connection: Connection, app_role: str) -> AsyncIterator[str]:
    for row in await connection.fetch(_RELATIONS, app_role):
        name = row["name"]
        if row["kind"] in {"v", "m", "f"}:
            if not row["invokes"]:  # it would run as its owner
                yield f"{name}: a view that does not ask as its caller"
            continue
        if not row["enabled"]:
            yield f"{name}: row-level security is not enabled"
        if not row["forced"]:
            yield f"{name}: row-level security is not forced"
        if row["can_be_emptied"]:  # past all policies
            yield f"{name}: {app_role} may truncate it or refer to it"
        policies = await connection.fetch(_POLICIES, row["oid"])
        if not policies:
            yield f"{name}: no policy"
        for policy in policies:
            for complaint in _about_policy(policy, app_role):
                yield f"{name}: policy {policy['name']} {complaint}"


def _about_policy(policy: asyncpg.Record, app_role: str) -> Iterator[str]:
    is_for_app = not policy["roles"] or app_role in policy["roles"]
    for expression in filter(None, (policy["using"], policy["check"])):
        if "current_setting('app." not in expression:
            yield "asks for no setting"
        if SYSTEM in expression and is_for_app:
            yield "lets the app role be the system"


async def _about_role(connection: Connection, app_role: str) -> AsyncIterator[str]:
    attributes = await connection.fetchrow(_ROLE, app_role)
    assert attributes is not None
    for attribute, is_set in attributes.items():
        if is_set:
            yield f"{app_role}: {attribute}"
    owned = f"SELECT thing FROM ({_OWNED}) AS owned (thing, owner)"
    owned += " WHERE owner = (SELECT oid FROM pg_roles WHERE rolname = $1)"
    for (thing,) in await connection.fetch(owned, app_role):
        yield f"{app_role}: owns {thing}"
    creates = (
        "SELECT 'schema ' || nspname FROM pg_namespace"
        " WHERE has_schema_privilege($1, oid, 'CREATE')"
        " UNION ALL SELECT 'this database'"
        " WHERE has_database_privilege($1, current_database(), 'CREATE')"
    )
    for (place,) in await connection.fetch(creates, app_role):
        yield f"{app_role}: may create in {place}"
    roles = (
        "SELECT m.roleid::regrole::text FROM pg_auth_members m"
        " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = $1"
    )
    for (role,) in await connection.fetch(roles, app_role):
        yield f"{app_role}: is a member of {role}"


async def _about_functions(connection: Connection) -> AsyncIterator[str]:
    listed = {
        await connection.fetchval("SELECT to_regprocedure($1)::oid", name): name
        for name in FUNCTIONS
    }
    for oid, name in listed.items():
        if oid is None:
            yield f"{name}: listed, but there is no such function"
    for function in await connection.fetch(_FUNCTIONS):
        name = function["name"]
        if function["oid"] not in listed:
            yield f"{name}: not listed in app/db/privileges.py"
        if not function["path"]:
            yield f"{name}: no search_path of its own"
        elif not function["path"].endswith("=pg_catalog, pg_temp"):
            yield f"{name}: a search_path that others can write to"
        if function["is_public"]:
            yield f"{name}: everybody may execute it"


def tenant_tables(metadata: MetaData) -> list[Table]:
    return [table for table in metadata.sorted_tables if COLUMN in table.c]


def unknown_tables(metadata: MetaData, known: Collection[str]) -> list[str]:
    """Name the tables of organizations that a database does not have."""
    return [table.name for table in tenant_tables(metadata) if table.name not in known]


def loose_keys(metadata: MetaData) -> list[str]:
    """Name foreign keys that could lead from one organization's row to another's."""
    return [
        f"{table.name}: {', '.join(key.column_keys)} -> {key.referred_table.name}"
        for table in tenant_tables(metadata)
        for key in sorted(table.foreign_key_constraints, key=lambda k: str(k.name))
        if COLUMN in key.referred_table.c
        and (COLUMN, COLUMN)
        not in {(one.parent.name, one.column.name) for one in key.elements}
    ]


async def names_of_relations(connection: Connection, *, app_role: str) -> list[str]:
    """Name everything in a database that has rows of organizations."""
    return [row["name"] for row in await connection.fetch(_RELATIONS, app_role)]
