"""Organizations with a row in every table, to look for one's rows in another's."""

from dataclasses import dataclass
from uuid import UUID

from fastapi import FastAPI

from app.models import Base
from tests.everybody import Everybody, Kind, everybody
from tests.factories.invitations import invitation

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
    await invitation(app, people.tenant)
    return Side(people)
