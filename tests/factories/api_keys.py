"""API keys."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.tenancy import enter
from app.models.api_keys import ApiKey
from app.policy import Permission
from tests.conftest import client_of
from tests.factories.organizations import Tenant
from tests.factories.users import Account

HEADER = "X-API-Key"
_number = count(1)


@dataclass(frozen=True)
class Program:
    """A stored key, and who uses it."""

    row: ApiKey
    text: str
    client: AsyncClient


async def api_key(
    app: FastAPI, of: Tenant, creator: Account, *scopes: Permission, **given: Any
) -> Program:
    """Store a key that somebody has made, with these scopes."""
    made = app.state.resources.api_keys.make()
    defaults = {
        "name": f"Key {next(_number)}",
        "prefix": made.prefix,
        "last_four": made.last_four,
        "key_hash": made.hash,
        "scopes": [*scopes],
    }
    row = ApiKey(
        organization_id=of.id, created_by=creator.user.id, **{**defaults, **given}
    )
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add(row)
    return Program(row, made.text, client_of(app, **{HEADER: made.text}))
