"""Exports of personal data; sessions of a superuser who acts as somebody else.

Revision 0010, after 0009.
"""

import sqlalchemy as sa
from alembic import op

from app.db.data_migrations import change_rows

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"


def upgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    op.create_table(
        "data_exports",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key", sa.String(150), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name="pk_data_exports"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_data_exports_user_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_data_exports_expires_at", "data_exports", ["expires_at"])
    op.add_column(
        "user_sessions", sa.Column("impersonator_id", sa.Uuid(), nullable=True)
    )


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    # To the code before they would be sessions of the user's own.
    change_rows(
        op,
        "DELETE FROM user_sessions WHERE impersonator_id IS NOT NULL",
        table="user_sessions",
        where="impersonator_id IS NOT NULL",
    )
    op.drop_column("user_sessions", "impersonator_id")
    op.drop_table("data_exports")
