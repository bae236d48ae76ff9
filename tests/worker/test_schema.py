"""pgqueuer's tables are those of our migration, whatever the environment says."""

import asyncpg
import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.domain.settings import DBSettings

from app.worker.names import NAMES
from app.worker.queries import WorkerQueries
from tests.databases import Databases


async def test_pgqueuer_would_change_nothing(databases: Databases) -> None:
    async with databases.fresh() as database:
        connection = await asyncpg.connect(database.owner_url)
        plan = await WorkerQueries(AsyncpgDriver(connection)).plan_upgrade()
        await connection.close()
    assert plan.statements == ()
    assert plan.notes == ()


def test_no_name_is_left_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in DBSettings.model_fields:
        monkeypatch.setenv(f"PGQUEUER_{name.upper()}", "elsewhere")
        monkeypatch.setenv(name.upper(), "elsewhere")
    given = NAMES.model_dump()
    assert given.keys() == DBSettings.model_fields.keys() == NAMES.model_fields_set
    assert DBSettings(**given) == NAMES
