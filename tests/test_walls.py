"""A role that row-level security does not hold serves nobody unseen."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from app.config import Environment, Settings, SettingsError
from app.resources import open_resources
from tests.conftest import settings_for
from tests.databases import Databases
from tests.telemetry.captured import captured_logs, events


@pytest.fixture
async def unheld(databases: Databases, settings: Settings) -> AsyncIterator[Settings]:
    async with databases.fresh() as database:
        yield settings_for(
            DATABASE_URL=SecretStr(database.superuser_url),
            ZENITH_HOME=settings.ZENITH_HOME,
        )


async def warnings_of(settings: Settings) -> list[str]:
    with captured_logs("json") as output:
        async with open_resources(settings):
            pass
    return [event["event"] for event in events(output) if event["level"] == "warning"]


class TestRole:
    async def test_that_is_held_is_no_matter(self, settings: Settings) -> None:
        assert await warnings_of(settings) == []

    async def test_that_is_not_is_warned_of(self, unheld: Settings) -> None:
        (warning,) = await warnings_of(unheld)
        assert "BYPASSRLS" in warning

    async def test_that_is_not_is_refused_in_production(self, unheld: Settings) -> None:
        production = {"ENVIRONMENT": Environment.PRODUCTION}
        with pytest.raises(SettingsError, match="BYPASSRLS"):
            async with open_resources(unheld.model_copy(update=production)):
                pass
