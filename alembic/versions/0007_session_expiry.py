"""An index to find sessions that have expired.

Revision 0007, after 0006.

It is no transaction: the index is built beside the traffic. It can be killed and run
again.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INDEX = "ix_user_sessions_expires_at"
LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"
# Building an index waits for transactions that run; nobody waits for it meanwhile.
PATIENT = "SET lock_timeout = '60s'"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(PATIENT)
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(f"CREATE INDEX CONCURRENTLY {INDEX} ON user_sessions (expires_at)")
        op.execute("RESET lock_timeout")


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    op.drop_index(INDEX, table_name="user_sessions")
