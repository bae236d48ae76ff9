"""Queries about the audit trail. Nothing here changes it: see `app.db.changes`."""

from collections.abc import AsyncIterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    bindparam,
    case,
    func,
    select,
)

from app.db.lists import Listing
from app.db.reader import Reader
from app.db.tenancy import of_organization
from app.models.changes import AuditEvent, AuditRow
from app.models.invitations import Invitation
from app.models.users import User
from app.pagination import PageRequest, Slice

# A subquery finds labels of the rows of a page only, and is no outer join: after one,
# any column of a list may be null, and so no index could run upwards.


def _name_of(user_id: SQLColumnExpression[UUID | None]) -> ColumnElement[str | None]:
    return select(User.full_name).where(User.id == user_id).scalar_subquery()


def _address() -> ColumnElement[str | None]:
    return (
        select(Invitation.email)
        .where(of_organization(Invitation.organization_id))
        .where(Invitation.id == AuditEvent.target_id)
        .scalar_subquery()
    )


def _events(
    labels: Mapping[str, ColumnElement[str | None]],
) -> Select[*tuple[Any, ...]]:
    """Select `AuditRow`; ``labels`` tells of what types of targets a name is looked up.

    What has a label of its own, which was written down, keeps it.
    """
    looked_up = case(*((AuditEvent.target_type == t, n) for t, n in labels.items()))
    return select(
        AuditEvent.id,
        AuditEvent.action,
        AuditEvent.actor_type,
        AuditEvent.actor_id,
        func.coalesce(AuditEvent.actor_label, _name_of(AuditEvent.actor_id)).label(
            "actor_label"
        ),
        AuditEvent.impersonator_id,
        _name_of(AuditEvent.impersonator_id).label("impersonator_label"),
        AuditEvent.target_type,
        AuditEvent.target_id,
        func.coalesce(AuditEvent.target_label, looked_up).label("target_label"),
        AuditEvent.changes,
        AuditEvent.request_id,
        AuditEvent.ip,
        AuditEvent.created_at,
    )


_SORTS = {"created_at": AuditEvent.created_at}
_FILTERS = {
    "actor_id": AuditEvent.actor_id == bindparam("actor_id"),
    "action": AuditEvent.action == bindparam("action"),
    "target_type": AuditEvent.target_type == bindparam("target_type"),
    "target_id": AuditEvent.target_id == bindparam("target_id"),
    "created_after": AuditEvent.created_at >= bindparam("created_after"),
    "created_before": AuditEvent.created_at < bindparam("created_before"),
}
AUDIT_EVENTS = Listing(
    "audit_events",
    _events({"member": _name_of(AuditEvent.target_id), "invitation": _address()}).where(
        of_organization(AuditEvent.organization_id)
    ),
    AuditRow,
    key=AuditEvent.id,
    sorts=_SORTS,
    filters=_FILTERS,
    context=["organization_id"],
)
SYSTEM_AUDIT_EVENTS = Listing(
    "system_audit_events",
    _events({"user": _name_of(AuditEvent.target_id)}).where(
        AuditEvent.organization_id.is_(None)
    ),
    AuditRow,
    key=AuditEvent.id,
    sorts=_SORTS,
    filters=_FILTERS,
    context=["superuser_id"],
)


class AuditEventReader:
    """Reads the trail of one organization."""

    def __init__(self, reader: Reader, organization_id: UUID) -> None:
        self._reader = reader
        self._organization_id = organization_id

    async def page(self, request: PageRequest) -> Slice[AuditRow]:
        return await AUDIT_EVENTS.page(
            self._reader, request, organization_id=self._organization_id
        )

    def batches(self, request: PageRequest) -> AsyncIterator[list[AuditRow]]:
        return AUDIT_EVENTS.batches(
            self._reader, request, organization_id=self._organization_id
        )


class SystemAuditEventReader:
    """Reads what concerns the whole system, for one superuser."""

    def __init__(self, reader: Reader, superuser_id: UUID) -> None:
        self._reader = reader
        self._superuser_id = superuser_id

    async def page(self, request: PageRequest) -> Slice[AuditRow]:
        return await SYSTEM_AUDIT_EVENTS.page(
            self._reader, request, superuser_id=self._superuser_id
        )
