"""What it costs to know who asks, and what they are in an organization.

``uv run python -m bench.authentication`` lets the statements take turns on one
connection, then whole requests without a socket; medians in microseconds.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import uvloop
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import bindparam, select

from app.db.embedded import EmbeddedPostgres
from app.db.migrations import migrate
from app.db.reader import Query
from app.db.repositories.api_keys import KEY_BY_HASH
from app.db.repositories.sessions import SIGNED_IN_MEMBER, SIGNED_IN_USER
from app.db.repositories.users import user_columns
from app.db.tenancy import of_organization
from app.dependencies import caller
from app.main import create_app
from app.models.organizations import Membership
from app.models.sessions import UserSession
from app.models.users import User
from app.resources import Resources
from app.security.limits import REQUESTS as REQUESTS_LIMIT
from app.telemetry.logs import configure_logging
from bench.inprocess import QUIET, call
from tests.conftest import settings_for
from tests.everybody import Everybody, Kind, everybody
from tests.factories.organizations import member

ROUNDS, CALLS = 9, 400
OTHERS = 200  # members beside those who ask

# What authentication was before there were organizations.
BEFORE = Query(
    user_columns()
    .add_columns(UserSession.id.label("session_id"))
    .join(UserSession, UserSession.user_id == User.id)
    .where(UserSession.id == bindparam("session_id"))
    .where(User.id == bindparam("user_id"), User.is_active),
    lambda *columns: columns,
)
MEMBERSHIP = Query(
    select(Membership.role)
    .where(of_organization(Membership.organization_id))
    .where(Membership.user_id == bindparam("user_id")),
    str,
    context=["user_id"],
)

Measured = Callable[[], Awaitable[object]]


def statements(resources: Resources, people: Everybody) -> Mapping[str, Measured]:
    reader = resources.reader
    account = people.accounts[Kind.VIEWER]
    who = {"user_id": account.user.id, "session_id": account.session.id}
    where = {"organization_id": people.tenant.id}
    key = people.clients[Kind.FULL_KEY].headers["x-api-key"]
    hashes = resources.api_keys.hashes(key)

    async def two() -> None:
        await reader.one(SIGNED_IN_USER, **who)
        await reader.one(MEMBERSHIP, user_id=account.user.id, **where)

    return {
        "session and user, as before": lambda: reader.one(BEFORE, **who),
        "session and user, perhaps acted as": lambda: reader.one(SIGNED_IN_USER, **who),
        "the same, then the membership: two": two,
        "session, user and membership: one": lambda: reader.one(
            SIGNED_IN_MEMBER, **who, **where
        ),
        "API key, creator and membership: one": lambda: reader.one(
            KEY_BY_HASH, hashes=hashes
        ),
    }


def requests(app: FastAPI, people: Everybody) -> Mapping[str, Measured]:
    def get(kind: Kind, path: str) -> Measured:
        sent = people.clients[kind].headers
        headers = [
            (name.encode(), sent[name].encode())
            for name in ("authorization", "x-api-key")
            if name in sent
        ]

        async def ask() -> None:
            assert await call(app, path, headers) in {200, 404}

        return ask

    missing = f"/api/v1/organizations/{UUID(int=0)}"
    return {
        "GET /users/me": get(Kind.VIEWER, "/api/v1/users/me"),
        "GET an organization, by a member": get(Kind.VIEWER, people.tenant.path),
        "the same, by a key": get(Kind.FULL_KEY, people.tenant.path),
        "the same, 404: known, and no member": get(Kind.VIEWER, missing),
    }


async def measure(contestants: Mapping[str, Measured]) -> None:
    figures: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS):
        for name, contestant in contestants.items():
            began = time.perf_counter()
            for _ in range(CALLS):
                await contestant()
            figures[name].append((time.perf_counter() - began) / CALLS * 1e6)
    for name, rounds in figures.items():
        print(f"{name:40}{statistics.median(rounds):8.0f} us")


async def run(settings: Any) -> None:
    caller.REQUESTS = replace(REQUESTS_LIMIT, quota=10**9)  # type: ignore[attr-defined]  # imported there
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        people = await everybody(app)
        for _ in range(OTHERS):
            await member(app, people.tenant)
        async with app.state.resources.engine.connect() as connection:
            await connection.exec_driver_sql("SELECT 1")
        await measure(statements(app.state.resources, people))
        await measure(requests(app, people))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="zenith-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        with EmbeddedPostgres(home) as postgres, QUIET.open("w") as nowhere:
            owner, role = postgres.owner_url, "zenith_app"
            asyncio.run(migrate(owner, app_role=role, notice=print))
            configure_logging(style="json", level="INFO", output=nowhere)
            settings = settings_for(
                DATABASE_URL=SecretStr(postgres.app_url),
                ZENITH_HOME=home,
                DB_POOL_SIZE=1,
                RATE_LIMIT_ENABLED=True,
            )
            uvloop.run(run(settings))


if __name__ == "__main__":
    main()
