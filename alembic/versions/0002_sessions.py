"""Sessions; versions and erasure of users.

Revision 0002, after 0001.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

LOCK_TIMEOUT = "SET LOCAL lock_timeout = '4s'"


def upgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    _extend_users()
    op.create_table(
        "user_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("device", sa.String(100), nullable=False),
        sa.Column("ip", sa.String(45), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=True),
        sa.Column("rotated_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_user_sessions"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name="fk_user_sessions_user_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index(
        "ix_user_sessions_user_id_created_at_id",
        "user_sessions",
        ["user_id", "created_at", "id"],
    )


def _extend_users() -> None:
    """Add columns whose defaults suit the code before this revision."""
    for column in (
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("password_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("search_text", sa.Text(), server_default="", nullable=False),
    ):
        op.add_column("users", column)


def downgrade() -> None:
    op.execute(LOCK_TIMEOUT)
    op.drop_table("user_sessions")
    for column in ("search_text", "erased_at", "password_version", "version"):
        op.drop_column("users", column)
