"""The use cases of organizations, each with what it needs."""

from typing import Annotated

from fastapi import Depends

from app.db.repositories.api_keys import ApiKeyReader
from app.db.repositories.invitations import InvitationReader, OwnInvitationReader
from app.db.repositories.members import MemberReader
from app.db.repositories.organizations import (
    OrganizationReader,
    OwnOrganizationReader,
)
from app.dependencies.caller import CurrentActor, OrganizationActor
from app.dependencies.database import DBSession, SharedResources
from app.services.api_keys import ApiKeyService
from app.services.invitations import InvitationService
from app.services.members import MemberService
from app.services.organizations import OrganizationService, OwnOrganizationService
from app.services.own_invitations import OwnInvitationService


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


async def get_invitations(
    session: DBSession, resources: SharedResources, actor: OrganizationActor
) -> InvitationService:
    return InvitationService(
        session=session,
        reader=InvitationReader(resources.reader, actor.organization_id),
        tokens=resources.email_tokens,
        limiter=resources.limiter,
        actor=actor,
    )


async def get_own_invitations(
    session: DBSession, resources: SharedResources, actor: CurrentActor
) -> OwnInvitationService:
    reader = OwnInvitationReader(resources.reader, actor.caller.id)
    return OwnInvitationService(session, reader, actor)


async def get_api_keys(
    session: DBSession, resources: SharedResources, actor: OrganizationActor
) -> ApiKeyService:
    reader = ApiKeyReader(resources.reader, actor.organization_id)
    return ApiKeyService(session, reader, resources.api_keys, actor)


OwnOrganizations = Annotated[OwnOrganizationService, Depends(get_own_organizations)]
OneOrganization = Annotated[OrganizationService, Depends(get_one_organization)]
Keys = Annotated[ApiKeyService, Depends(get_api_keys)]
Members = Annotated[MemberService, Depends(get_members)]
Invitations = Annotated[InvitationService, Depends(get_invitations)]
OwnInvitations = Annotated[OwnInvitationService, Depends(get_own_invitations)]
