"""Words and indexes to find users by.

Revision 0003, after 0002.

It is no transaction, for that would lock the table as long as it takes: words are
written in batches, and indexes are built beside the traffic. It can be killed and run
again. Whom the code before signs up or renames after this has passed them is found by
their new words only from their next change on.
"""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from app.search import searchable

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"
# Building an index waits for transactions that run; nobody waits for it meanwhile.
PATIENT = "SET lock_timeout = '60s'"
# Who was erased before a downgrade stays so.
ERASED = """
    UPDATE users SET erased_at = updated_at
    WHERE email LIKE '%@erased.invalid' AND erased_at IS NULL
"""
BATCH = 1000
INDEXES = {
    "ix_users_search_text": "USING gin"
    " (array_to_tsvector(string_to_array(search_text, ' ')))",
    "ix_users_created_at_id": "(created_at, id)",
    "ix_users_full_name_id": "(full_name, id)",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(PATIENT)
        op.execute(ERASED)
        _write_words()
        for name, definition in INDEXES.items():
            # One whose building was cut short is there, and of no use.
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON users {definition}")
        op.execute("RESET lock_timeout")


def _write_words() -> None:
    users = sa.table(
        "users",
        sa.column("id", sa.Uuid()),
        *(sa.column(name, sa.Text()) for name in ("email", "full_name", "search_text")),
    )
    connection, last = op.get_bind(), UUID(int=0)
    write = (
        sa.update(users)
        .where(users.c.id == sa.bindparam("row"))
        .where(users.c.email == sa.bindparam("of_email"))
        .where(users.c.full_name == sa.bindparam("of_name"))
        .values(search_text=sa.bindparam("words"))
    )
    while rows := connection.execute(
        sa.select(users).where(users.c.id > last).order_by(users.c.id).limit(BATCH)
    ).all():
        found = [(row, searchable(row.email, row.full_name)) for row in rows]
        changes = [
            {"row": r.id, "of_email": r.email, "of_name": r.full_name, "words": words}
            for r, words in found
            if words != r.search_text
        ]
        if changes:
            connection.execute(write, changes)
        last = rows[-1].id


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    for name in INDEXES:
        op.drop_index(name, table_name="users")
