"""A real PostgreSQL server that Zenith starts for itself, without installation."""

from app.db.embedded.errors import EmbeddedPostgresError
from app.db.embedded.supervisor import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
