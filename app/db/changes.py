"""Writes changes down, each in its own transaction: the audit trail and the outbox."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tenancy import context_of
from app.events import Event
from app.models.base import Base, new_id, utc_now
from app.models.changes import LABEL_MAX, AuditEvent, OutboxEvent
from app.telemetry.logs import request_id

Changes = Mapping[str, Mapping[str, Any]]
"""Of each field that has changed: what it was (``from``), and what it is (``to``)."""

HIDDEN = "***"
_BOOKKEEPING = {"id", "organization_id", "created_at", "updated_at", "version"}
_DERIVED = {"search_text"}


async def emit(session: AsyncSession, event: Event) -> None:
    """Tell of an event once the transaction is committed; rolled back, there was none.

    The session is bound to the organization whose event it is.
    """
    await session.execute(insert(OutboxEvent).values(_outbox(session, event)))


async def record(
    session: AsyncSession, event: Event, *, row: Base, changes: Changes
) -> None:
    """Write a change of an organization's row into its trail, and emit the event."""
    audit = _audit(
        session,
        event.type,
        target=(event.type.partition(".")[0], event.subject),
        label=getattr(row, "label", None),
        changes=changes,
    )
    written = insert(AuditEvent).values(audit).cte("written")
    told = insert(OutboxEvent).values(_outbox(session, event))
    await session.execute(told.add_cte(written))


async def record_of_system(
    session: AsyncSession, action: str, *, target: tuple[str, UUID], changes: Changes
) -> None:
    """Write down what concerns no organization; superusers read it."""
    audit = _audit(session, action, target=target, label=None, changes=changes)
    audit["organization_id"] = None
    await session.execute(insert(AuditEvent).values(audit))


def additions(row: Base) -> Changes:
    given = {name: value for name, value in _values(row).items() if value is not None}
    return {name: {"from": None, "to": value} for name, value in given.items()}


def removals(row: Base) -> Changes:
    had = {name: value for name, value in _values(row).items() if value is not None}
    return {name: {"from": value, "to": None} for name, value in had.items()}


def differences(row: Base, changes: Mapping[str, Any]) -> Changes:
    """Compare a row with what is to become of it."""
    before = _values(row)
    masked = _masked(row)
    return {
        name: {"from": before[name], "to": _shown(value, hide=name in masked)}
        for name, value in changes.items()
        if name in before and getattr(row, name) != value
    }


def _values(row: Base) -> dict[str, Any]:
    masked = _masked(row)
    names = [attribute.key for attribute in inspect(type(row)).column_attrs]
    return {
        name: _shown(getattr(row, name), hide=name in masked)
        for name in names
        if name not in _BOOKKEEPING | _DERIVED
    }


def _masked(row: Base) -> set[str]:
    attributes = inspect(type(row)).column_attrs
    return {a.key for a in attributes if "audit" in a.columns[0].info}


def _shown(value: Any, *, hide: bool) -> Any:
    if value is None:
        return None
    return HIDDEN if hide else to_jsonable_python(value)


def _audit(
    session: AsyncSession,
    action: str,
    *,
    target: tuple[str, UUID],
    label: str | None,
    changes: Changes,
) -> dict[str, Any]:
    context = context_of(session)
    author = context.author
    kind, id_ = target
    return {
        "id": new_id(),
        "organization_id": context.organization_id,
        "action": action,
        "actor_type": author.type,
        "actor_id": author.id,
        "actor_label": author.label,
        "impersonator_id": author.impersonator_id,
        "target_type": kind,
        "target_id": id_,
        "target_label": label[:LABEL_MAX] if label else None,
        "changes": changes,
        "request_id": request_id.get(),
        "ip": author.ip,
        "created_at": utc_now(),
    }


def _outbox(session: AsyncSession, event: Event) -> dict[str, Any]:
    context = context_of(session)
    assert context.organization_id is not None
    return {
        "id": new_id(),
        "organization_id": context.organization_id,
        "type": event.type,
        "subject": event.subject,
        "data": event.data,
        "request_id": request_id.get(),
        "created_at": utc_now(),
    }
