"""How many there may be, so that nobody's leaving takes for ever."""

import pytest
from fastapi import FastAPI

from tests.factories.organizations import ROOT, tenant
from tests.factories.users import account


async def test_nobody_owns_more_organizations_than_may_be(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.organizations.MAX_OWNED", 2)
    somebody = await account(app)
    answers = [
        await somebody.client.post(ROOT, json={"name": "Another"}) for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "limit_reached"


async def test_no_organization_has_more_keys_than_may_be(
    app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.api_keys.MAX_KEYS", 2)
    one = await tenant(app)
    new = {"name": "Key", "scopes": ["members:read"]}
    path = f"{one.path}/api-keys"
    answers = [await one.owner.client.post(path, json=new) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "limit_reached"
    revoked = await one.owner.client.delete(f"{path}/{answers[0].json()['id']}")
    assert revoked.status_code == 204
    assert (await one.owner.client.post(path, json=new)).status_code == 201
