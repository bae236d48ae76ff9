"""Races over sessions and rights; `python -m tests.faults` runs more of them."""

import pytest
from fastapi import FastAPI

from tests.conftest import client_of
from tests.factories.users import account
from tests.faults.races import RACES, Arena

ROUNDS = 3


@pytest.mark.parametrize("name", RACES)
async def test_nothing_that_a_race_minted_outlives_its_end(
    app: FastAPI, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A deadlock would be run again, a second later; here it is a 503.
    monkeypatch.setattr("app.web.routing.ATTEMPTS", 1)
    superuser = await account(app, is_superuser=True)
    async with client_of(app) as client:
        for _ in range(ROUNDS):
            await RACES[name](Arena([client], superuser.token))
