"""Organizations with a row in every table, to look for one's rows in another's."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from fastapi import FastAPI

from app.db.tenancy import enter
from app.models import Base
from app.models.base import new_id, utc_now
from app.models.invitations import Invitation
from app.policy import Role
from tests.everybody import Everybody, Kind, everybody
from tests.factories.users import new_email

TABLES = [
    table for table in Base.metadata.sorted_tables if "organization_id" in table.c
]
"""Of organizations; the table of these themselves is not among them."""


@dataclass(frozen=True)
class Side:
    """One organization with everybody in it."""

    people: Everybody

    @property
    def id(self) -> UUID:
        return self.people.tenant.id


async def side(app: FastAPI) -> Side:
    """Store an organization with a row in every table."""
    people = await everybody(app)
    owner = people.clients[Kind.OWNER]
    renamed = await owner.patch(people.tenant.path, json={"name": "Renamed"})
    assert renamed.is_success  # which the audit trail and the outbox tell of
    id_ = new_id()
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=people.tenant.id)
        session.add(
            Invitation(
                organization_id=people.tenant.id,
                email=new_email(),
                role=Role.VIEWER,
                status="pending",
                token_id=id_,
                token_hash=app.state.resources.email_tokens.make(id_),
                expires_at=utc_now() + timedelta(days=7),
            )
        )
    return Side(people)
