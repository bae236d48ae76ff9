"""The use cases of organizations, each with what it needs."""

from typing import Annotated

from fastapi import Depends

from app.db.repositories.members import MemberReader
from app.db.repositories.organizations import (
    OrganizationReader,
    OwnOrganizationReader,
)
from app.dependencies.caller import CurrentActor, OrganizationActor
from app.dependencies.database import DBSession, SharedResources
from app.services.members import MemberService
from app.services.organizations import OrganizationService, OwnOrganizationService


async def get_own_organizations(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> OwnOrganizationService:
    reader = OwnOrganizationReader(resources.reader, actor.caller.id)
    return OwnOrganizationService(session, reader, actor)


async def get_one_organization(
    session: DBSession, resources: SharedResources, actor: OrganizationActor
) -> OrganizationService:
    reader = OrganizationReader(resources.reader, actor.organization_id)
    return OrganizationService(session, reader, actor)


async def get_members(
    session: DBSession, resources: SharedResources, actor: OrganizationActor
) -> MemberService:
    reader = MemberReader(resources.reader, actor.organization_id)
    return MemberService(session, reader, actor)


OwnOrganizations = Annotated[OwnOrganizationService, Depends(get_own_organizations)]
OneOrganization = Annotated[OrganizationService, Depends(get_one_organization)]
Members = Annotated[MemberService, Depends(get_members)]
