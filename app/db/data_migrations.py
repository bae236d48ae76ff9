"""Changes rows in migrations: past row-level security, and never silently none.

The owner of the tables falls under their policies, too: a plain UPDATE of a migration
finds no row of any organization, and succeeds.
"""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from sqlalchemy import Connection, Executable, text

from app.db.migrations import MigrationError

_SET = text("SELECT set_config('app.system', :value, :is_local)")
# Whether the role that migrates sees the rows of a table as policies let it, and if one
# lets it do this to all of them.
_STANDING = text("""
    SELECT row_security_active(c.oid), EXISTS (
        SELECT FROM pg_policy p
        WHERE p.polrelid = c.oid AND p.polpermissive
            AND p.polcmd::text IN ('*', :command)
            AND strpos(pg_get_expr(coalesce(p.polqual, p.polwithcheck), c.oid),
                       'app.system') > 0
            AND EXISTS (SELECT FROM unnest(p.polroles) AS to_role
                        WHERE to_role = 0 OR pg_has_role(to_role, 'USAGE')))
    FROM pg_class c WHERE c.oid = to_regclass(:table)
""")
_COMMANDS = {"INSERT": "a", "UPDATE": "w", "DELETE": "d"}  # as pg_policy has them
_ANY = "*"


class Operations(Protocol):
    """Alembic's ``op``."""

    def get_bind(self) -> Connection: ...


def change_rows(
    op: Operations,
    statement: str | Executable,
    parameters: Mapping[str, Any] | None = None,
    *,
    table: str,
    where: str = "true",
    of: str | None = None,
    may_be_empty: bool = False,
) -> int:
    """Run an INSERT, UPDATE or DELETE on all organizations' rows; return how many.

    ``table`` is what it changes. It has to change something if there is a row to be
    changed: any row of the table, or of another one, ``of``, that the new ones are made
    from; only those count that ``where`` holds for. An empty database has none. Where
    rows alone cannot tell, it ``may_be_empty``.

    Raises `MigrationError` if it has changed nothing though it had to, or if no policy
    of the table lets the system do this.
    """
    connection = op.get_bind()
    if isinstance(statement, str):
        statement = text(statement)
    _require_policy(connection, table, statement)
    quoted = connection.dialect.identifier_preparer.quote(of or table)
    there_are = text(f"SELECT EXISTS (SELECT FROM {quoted} WHERE {where})")  # noqa: S608 - written in a migration
    with _system_context(connection):
        needed = not may_be_empty and connection.execute(there_are).scalar_one()
        changed = connection.execute(statement, parameters or {}).rowcount
        if needed and changed < 1:
            raise MigrationError(
                f"A data migration has changed no row of {table}, though there are rows"
                f" of {of or table} where {where}. Nothing is changed: it has to be"
                " mended, or to say that it may be empty."
            )
    return changed


@contextlib.contextmanager
def _system_context(connection: Connection) -> Iterator[None]:
    """Let the owner see all rows, and only meanwhile.

    In an autocommit block each statement is a transaction of its own, so the setting
    has to last on the connection; otherwise a rollback takes it back.
    """
    is_local = connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT"
    connection.execute(_SET, {"value": "on", "is_local": is_local})
    try:
        yield
    except BaseException:
        if not is_local:
            connection.execute(_SET, {"value": "", "is_local": is_local})
        raise
    connection.execute(_SET, {"value": "", "is_local": is_local})


def _require_policy(connection: Connection, table: str, statement: Executable) -> None:
    """Refuse a table whose rows stay hidden even from the system."""
    word = str(statement).split(maxsplit=1)[0].upper()
    command = _COMMANDS.get(word, _ANY)
    quoted = connection.dialect.identifier_preparer.quote(table)
    standing = connection.execute(_STANDING, {"command": command, "table": quoted})
    found = standing.one_or_none()
    if found is None:
        raise MigrationError(f"A data migration names {table}, which is no table.")
    is_filtered, is_let = found
    if is_filtered and not is_let:
        raise MigrationError(
            f"No policy of {table} lets a data migration {word} its rows: it would"
            " change none, and say nothing. Give it one for the system."
        )
