"""The use cases of the audit trail, each with what it needs."""

from typing import Annotated

from fastapi import Depends

from app.db.repositories.audit_events import AuditEventReader, SystemAuditEventReader
from app.dependencies.caller import CurrentActor, OrganizationActor
from app.dependencies.database import SharedResources
from app.services.audit_events import AuditEventService, SystemAuditEventService


async def get_audit_events(
    resources: SharedResources, actor: OrganizationActor
) -> AuditEventService:
    reader = AuditEventReader(resources.reader, actor.organization_id)
    return AuditEventService(reader, actor)


async def get_system_audit_events(
    resources: SharedResources, actor: CurrentActor
) -> SystemAuditEventService:
    reader = SystemAuditEventReader(resources.reader, actor.caller.id)
    return SystemAuditEventService(reader, actor)


AuditEvents = Annotated[AuditEventService, Depends(get_audit_events)]
SystemAuditEvents = Annotated[SystemAuditEventService, Depends(get_system_audit_events)]
