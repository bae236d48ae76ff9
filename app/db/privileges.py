"""What the app role may do: rows, never the schema."""

from app.models import AuditEvent, Base
from app.models.jobs import SCHEMA as JOBS

FUNCTIONS = (
    "api_key_of(bytea[])",
    "sweep_invitations(timestamptz, integer)",
)
"""The owner's functions, which do what row-level security lets no request do itself."""


def grants(role: str) -> str:
    """Write the statement that lets a role use the rows of all tables.

    It is run after each migrate, so that a new role needs nothing else.
    """
    grantee = '"' + role.replace('"', '""') + '"'
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    return f"""
        DO $do$ BEGIN
          GRANT USAGE ON SCHEMA public TO {grantee};
          GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {grantee};
          REVOKE UPDATE, DELETE ON {AuditEvent.__tablename__} FROM {grantee};
          GRANT EXECUTE ON FUNCTION {", ".join(FUNCTIONS)} TO {grantee};
          GRANT SELECT ON alembic_version TO {grantee};
          GRANT USAGE ON SCHEMA {JOBS} TO {grantee};
          GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {JOBS}
            TO {grantee};
          GRANT USAGE ON ALL SEQUENCES IN SCHEMA {JOBS} TO {grantee};
        END $do$
    """
