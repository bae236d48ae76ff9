"""Who may read the audit trail. It is written by the repositories, with each change."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, fields
from operator import attrgetter

from app.db.repositories.audit_events import AuditEventReader, SystemAuditEventReader
from app.models.changes import AuditRow
from app.pagination import PageRequest, Slice
from app.policy import Permission
from app.schemas.audit_events import AuditFilters, AuditQuery
from app.services.actor import Actor
from app.spreadsheets import BATCH, begun, stream_csv

COLUMNS = [field.name for field in fields(AuditRow)]


@dataclass(frozen=True, slots=True)
class AuditEventService:
    """The use cases of those who look into the trail of an organization."""

    reader: AuditEventReader
    actor: Actor

    async def page(self, query: AuditQuery) -> Slice[AuditRow]:
        self.actor.require(Permission.AUDIT_READ)
        return await self.reader.page(query.request())

    async def export(self, filters: AuditFilters) -> AsyncIterator[bytes]:
        """Write all events as CSV, by and by; whoever may begin it sees its end."""
        self.actor.require(Permission.AUDIT_READ)
        request = PageRequest(size=BATCH, filters=filters.given())
        cells = attrgetter(*COLUMNS)
        batches = self.reader.batches(request)
        rows = (map(cells, batch) async for batch in batches)
        return await begun(stream_csv(COLUMNS, rows))


@dataclass(frozen=True, slots=True)
class SystemAuditEventService:
    """The use cases of superusers who look into the trail of the whole system."""

    reader: SystemAuditEventReader
    actor: Actor

    async def page(self, query: AuditQuery) -> Slice[AuditRow]:
        self.actor.require_superuser()
        return await self.reader.page(query.request())
