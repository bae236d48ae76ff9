"""Organizations, and who belongs to them."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import UUID, uuid4

from fastapi import FastAPI

from app.db.tenancy import enter
from app.models.base import new_id
from app.models.organizations import Membership, Organization
from app.models.users import User
from app.policy import Role
from tests.factories.users import Account, account

ROOT = "/api/v1/organizations"
_number = count(1)


@dataclass(frozen=True)
class Tenant:
    """An organization with its owner."""

    id: UUID
    slug: str
    owner: Account

    @property
    def path(self) -> str:
        return f"{ROOT}/{self.id}"


def organization(**given: Any) -> Organization:
    """A valid organization, which nobody belongs to."""
    number = next(_number)
    defaults = {"name": f"Organization {number}", "slug": f"slug-{uuid4().hex[:12]}"}
    return Organization(id=new_id(), **{**defaults, **given})


async def tenant(app: FastAPI, *, owner: Account | None = None, **given: Any) -> Tenant:
    """Store an organization and its owner, who is somebody new unless given."""
    owner = owner or await account(app)
    row = organization(**given)
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=row.id)
        session.add(row)
        await session.flush()
        session.add(
            Membership(organization_id=row.id, user_id=owner.user.id, role=Role.OWNER)
        )
    return Tenant(row.id, row.slug, owner)


async def member(
    app: FastAPI, of: Tenant, role: Role = Role.MEMBER, **given: Any
) -> Account:
    """Store somebody new who is a member."""
    somebody = await account(app, **given)
    await join(app, of, somebody.user, role)
    return somebody


async def join(
    app: FastAPI, of: Tenant, user: User, role: Role = Role.MEMBER
) -> Membership:
    """Make a stored user a member."""
    row = Membership(organization_id=of.id, user_id=user.id, role=role)
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add(row)
    return row
