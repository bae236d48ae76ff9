"""One organization, and everybody who may knock at its door."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.tenancy import enter
from app.models.api_keys import ApiKey
from app.models.base import new_id, utc_now
from app.models.organizations import Membership, Organization
from app.models.sessions import UserSession
from app.models.users import User
from app.policy import Permission, Role
from tests.conftest import client_of
from tests.contract.scenes import Scene
from tests.factories.organizations import Tenant
from tests.factories.sessions import user_session
from tests.factories.users import Account, account, user


class Kind(StrEnum):
    ANONYMOUS = "anonymous"
    OUTSIDER = "outsider"
    EX_MEMBER = "ex-member"
    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"
    SUPERUSER = "superuser"
    IMPERSONATOR = "superuser as the owner"
    READ_ONLY_KEY = "read-only key"
    FULL_KEY = "key of all scopes"
    FOREIGN_KEY = "key of another organization"
    EXPIRED_KEY = "expired key"


ROLES = {
    Kind.VIEWER: Role.VIEWER,
    Kind.MEMBER: Role.MEMBER,
    Kind.ADMIN: Role.ADMIN,
    Kind.OWNER: Role.OWNER,
}
PEOPLE = (*ROLES, Kind.OUTSIDER, Kind.EX_MEMBER, Kind.SUPERUSER)
KEYS = (Kind.READ_ONLY_KEY, Kind.FULL_KEY, Kind.FOREIGN_KEY, Kind.EXPIRED_KEY)
READING = [permission for permission in Permission if permission.endswith(":read")]


@dataclass(frozen=True)
class Everybody:
    """An organization and a client of each kind."""

    app: FastAPI
    tenant: Tenant
    accounts: dict[Kind, Account]
    clients: dict[Kind, AsyncClient]

    def scene(self, kind: Kind) -> Scene:
        """Return what is one's own of somebody; of who has no account, the owner's."""
        caller = self.accounts.get(kind, self.accounts[Kind.OWNER])
        return Scene(self.app, caller, [self.tenant])


async def everybody(app: FastAPI, **given: Any) -> Everybody:
    """Store them; ``given`` are fields of all the users."""
    people = {kind: user(id=new_id(), **given) for kind in PEOPLE}
    people[Kind.SUPERUSER].is_superuser = True
    accounts = await _sign_in(app, people)
    owner, outsider = people[Kind.OWNER], people[Kind.OUTSIDER]
    tenant = await _organization(app, {people[k]: role for k, role in ROLES.items()})
    other = (await account(app)).user  # who stays an owner
    elsewhere = await _organization(app, {outsider: Role.OWNER, other: Role.OWNER})
    clients = {kind: one.client for kind, one in accounts.items()}
    clients[Kind.ANONYMOUS] = client_of(app)
    clients[Kind.IMPERSONATOR] = await _act_as(app, owner, people[Kind.SUPERUSER])
    clients[Kind.READ_ONLY_KEY] = await _key(app, tenant.id, owner, READING)
    clients[Kind.FULL_KEY] = await _key(app, tenant.id, owner, [*Permission])
    clients[Kind.FOREIGN_KEY] = await _key(app, elsewhere.id, outsider, [*Permission])
    clients[Kind.EXPIRED_KEY] = await _key(
        app, tenant.id, owner, [*Permission], hours=-1
    )
    found = Tenant(tenant.id, tenant.slug, accounts[Kind.OWNER])
    return Everybody(app, found, accounts, clients)


async def _sign_in(app: FastAPI, people: dict[Kind, User]) -> dict[Kind, Account]:
    begun = {kind: user_session(one.id) for kind, one in people.items()}
    async with app.state.resources.sessions.begin() as session:
        session.add_all(people.values())
        await session.flush()
        session.add_all(begun.values())
    return {kind: _account(app, one, begun[kind]) for kind, one in people.items()}


def _account(app: FastAPI, row: User, begun: UserSession) -> Account:
    token = app.state.resources.tokens.issue(row.id, session_id=begun.id).text
    client = client_of(app, Authorization=f"Bearer {token}")
    return Account(row, begun, token, client)


async def _act_as(app: FastAPI, row: User, superuser: User) -> AsyncClient:
    begun = user_session(row.id, impersonator_id=superuser.id)
    async with app.state.resources.sessions.begin() as session:
        session.add(begun)
    return _account(app, row, begun).client


async def _organization(app: FastAPI, members: dict[User, Role]) -> Organization:
    row = Organization(id=new_id(), name="Everybody", slug=f"all-{uuid4().hex[:12]}")
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=row.id)
        session.add(row)
        await session.flush()
        session.add_all(
            Membership(organization_id=row.id, user_id=one.id, role=role)
            for one, role in members.items()
        )
    return row


async def _key(
    app: FastAPI,
    organization_id: UUID,
    creator: User,
    scopes: list[Permission],
    *,
    hours: int = 1,
) -> AsyncClient:
    made = app.state.resources.api_keys.make()
    row = ApiKey(
        organization_id=organization_id,
        created_by=creator.id,
        name="Key",
        prefix=made.prefix,
        last_four=made.last_four,
        key_hash=made.hash,
        scopes=[str(scope) for scope in scopes],
        expires_at=utc_now() + timedelta(hours=hours),
    )
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=organization_id)
        session.add(row)
    return client_of(app, **{"X-API-Key": made.text})
