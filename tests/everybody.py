"""One organization, and everybody who may knock at its door."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.tenancy import enter
from app.models.base import Base, new_id, utc_now
from app.models.organizations import Membership, Organization
from app.models.users import User
from app.policy import Permission, Role
from tests.conftest import client_of
from tests.contract.scenes import Scene
from tests.factories.api_keys import Program, new_key
from tests.factories.organizations import Tenant, organization
from tests.factories.users import Account, new_account, user


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
    """Store them, in one transaction; ``given`` are fields of all the users."""
    people = {kind: user(id=new_id(), **given) for kind in PEOPLE}
    people[Kind.SUPERUSER].is_superuser = True
    accounts = {kind: new_account(app, row) for kind, row in people.items()}
    owner, outsider = people[Kind.OWNER], people[Kind.OUTSIDER]
    support = new_account(app, owner, impersonator_id=people[Kind.SUPERUSER].id)
    other = user(id=new_id())  # who stays an owner
    ours, theirs = organization(), organization()
    keys = _keys(app, owner, outsider, ours=ours, theirs=theirs)
    rows: list[list[Base]] = [
        [*people.values(), other],
        [one.session for one in (*accounts.values(), support)],
        [ours],
        [_member(ours, people[kind], role) for kind, role in ROLES.items()],
        [keys[kind].row for kind in KEYS if kind != Kind.FOREIGN_KEY],
        [theirs],
        [_member(theirs, one, Role.OWNER) for one in (outsider, other)],
        [keys[Kind.FOREIGN_KEY].row],
    ]
    await _store(app, rows)
    clients = {kind: one.client for kind, one in (accounts | keys).items()}
    clients[Kind.ANONYMOUS] = client_of(app)
    clients[Kind.IMPERSONATOR] = support.client
    found = Tenant(ours.id, ours.slug, accounts[Kind.OWNER])
    return Everybody(app, found, accounts, clients)


def _keys(
    app: FastAPI,
    owner: User,
    outsider: User,
    *,
    ours: Organization,
    theirs: Organization,
) -> dict[Kind, Program]:
    late = {"expires_at": utc_now() - timedelta(hours=1)}
    return {
        Kind.READ_ONLY_KEY: new_key(app, ours.id, owner, *READING),
        Kind.FULL_KEY: new_key(app, ours.id, owner, *Permission),
        Kind.FOREIGN_KEY: new_key(app, theirs.id, outsider, *Permission),
        Kind.EXPIRED_KEY: new_key(app, ours.id, owner, *Permission, **late),
    }


def _member(of: Organization, who: User, role: Role) -> Membership:
    return Membership(organization_id=of.id, user_id=who.id, role=role)


async def _store(app: FastAPI, rows: list[list[Base]]) -> None:
    """Store rows, those after that refer to those before."""
    async with app.state.resources.sessions.begin() as session:
        for some in rows:
            if isinstance(some[0], Organization):
                await enter(session, organization_id=some[0].id)
            session.add_all(some)
            await session.flush()
