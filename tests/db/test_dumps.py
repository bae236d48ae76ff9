"""Backups by PostgreSQL's own tools, as the manual tells."""

import asyncio
import os
import re
import subprocess
from pathlib import Path

from fastapi import FastAPI

from app.config import Settings
from app.db.connections import Connection
from app.db.embedded import EmbeddedPostgres
from tests.factories.organizations import tenant

MANUAL = Path(__file__).parents[2] / "docs" / "operations.md"
COMMAND = re.compile(r"PGOPTIONS='(.+)' pg_dump (\S+) ")


async def test_a_dump_has_the_rows_of_all_organizations(
    app: FastAPI,
    settings: Settings,
    postgres: EmbeddedPostgres,
    owner_connection: Connection,
) -> None:
    assert settings.DATABASE_ADMIN_URL is not None
    organizations = [(await tenant(app)).id for _ in range(2)]
    found = COMMAND.search(MANUAL.read_text())
    assert found
    dump = await asyncio.to_thread(
        subprocess.run,
        [
            postgres.bin_dir / "pg_dump",
            found[2],
            "--table=memberships",
            settings.DATABASE_ADMIN_URL.get_secret_value(),
        ],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PGOPTIONS": found[1]},
    )
    assert all(str(one) in dump.stdout for one in organizations)
    rows = await owner_connection.fetchval("SELECT count(*) FROM memberships")
    assert rows >= len(organizations)
