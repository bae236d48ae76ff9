"""Runs migrations on the connection that `app.db.migrations` gives.

The ``alembic`` command, which writes and checks migrations, gives none: it uses the
database of the settings, and so the embedded one where there is no other.
"""

import asyncio

from alembic import context
from sqlalchemy import Connection

from app.config import settings
from app.db.migrations import migration_engine
from app.db.provision import admin_url, provided_database
from app.models import Base


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        transaction_per_migration=True,
        compare_type=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    with provided_database(settings) as provided:
        engine = migration_engine(admin_url(provided))
        # Each migration begins and commits its own transaction, if it wants one.
        async with engine.connect() as connection:
            await connection.run_sync(run)
        await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    asyncio.run(connect_and_run())
