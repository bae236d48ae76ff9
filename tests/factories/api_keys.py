"""API keys."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.tenancy import enter
from app.models.api_keys import ApiKey
from app.models.users import User
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
    found = new_key(app, of.id, creator.user, *scopes, **given)
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add(found.row)
    return found


def new_key(
    app: FastAPI, within: UUID, creator: User, *scopes: Permission, **given: Any
) -> Program:
    """Make a key, whose row is still to be stored."""
    made = app.state.resources.api_keys.make()
    defaults = {
        "name": f"Key {next(_number)}",
        "prefix": made.prefix,
        "last_four": made.last_four,
        "key_hash": made.hash,
        "scopes": [*scopes],
    }
    row = ApiKey(organization_id=within, created_by=creator.id, **{**defaults, **given})
    return Program(row, made.text, client_of(app, **{HEADER: made.text}))
