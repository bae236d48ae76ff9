"""Writes changes down, each in its own transaction: the audit trail and the outbox."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from pydantic_core import to_jsonable_python
from sqlalchemy import insert, inspect
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.tenancy import context_of
from app.events import Event
from app.models.base import Base, new_id, utc_now
from app.models.changes import LABEL_MAX, MASKED, AuditEvent, OutboxEvent
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
    audit = _audit_of(session, event, row, changes)
    written = insert(AuditEvent).values(audit).cte("written")
    told = insert(OutboxEvent).values(_outbox(session, event))
    await session.execute(told.add_cte(written))


async def record_all(
    session: AsyncSession, changed: Sequence[tuple[Event, Base, Changes]]
) -> None:
    """Do the same for changes that may be many, in the order given."""
    if changed:
        audits = [_audit_of(session, *change) for change in changed]
        await session.execute(insert(AuditEvent), audits)
        told = [_outbox(session, event) for event, _, _ in changed]
        await session.execute(insert(OutboxEvent), told)


async def record_of_system(
    session: AsyncSession, action: str, *, target: tuple[str, UUID], changes: Changes
) -> None:
    """Write down what concerns no organization; superusers read it."""
    audit = _audit(session, action, target=target, label=None, changes=changes)
    audit["organization_id"] = None
    await session.execute(insert(AuditEvent).values(audit))


async def record_of_account(
    session: AsyncSession, action: str, *, user_id: UUID, changes: Changes
) -> None:
    """Write down what somebody does to another's account, or as another."""
    author = context_of(session).author
    by_another = author.id not in {None, user_id} or author.impersonator_id
    if by_another and changes:
        target = ("user", user_id)
        await record_of_system(session, action, target=target, changes=changes)


def additions(row: Base) -> Changes:
    return {name: {"from": None, "to": value} for name, value in _values(row).items()}


def removals(row: Base) -> Changes:
    return {name: {"from": value, "to": None} for name, value in _values(row).items()}


def differences(row: Base) -> Changes:
    """Return what the next flush will change of a row that is stored."""
    state = inspect(row)
    found: dict[str, Mapping[str, Any]] = {}
    for name, is_masked in _shown_columns(type(row)):
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        # Not two of them if the row was not loaded before: its past is not known.
        values: list[Any] = [*history.deleted, *history.added]
        before, after = values
        if is_masked or _plain(before) != _plain(after):
            found[name] = {
                "from": _shown(before, hide=is_masked),
                "to": _shown(after, hide=is_masked),
            }
    return found


def _values(row: Base) -> dict[str, Any]:
    """Return what there is in a row, as far as the trail may hold it."""
    return {
        name: _shown(value, hide=is_masked)
        for name, is_masked in _shown_columns(type(row))
        if (value := getattr(row, name)) is not None
    }


@lru_cache
def _shown_columns(model: type[Base]) -> Sequence[tuple[str, bool]]:
    """Return the columns that the trail tells of, and of which it hides the values."""
    return tuple(
        (attribute.key, MASKED.items() <= attribute.columns[0].info.items())
        for attribute in inspect(model).column_attrs
        if attribute.key not in _BOOKKEEPING | _DERIVED
    )


def _shown(value: Any, *, hide: bool) -> Any:
    return HIDDEN if hide and value is not None else _plain(value)


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    return to_jsonable_python(value, bytes_mode="base64")


def _audit_of(
    session: AsyncSession, event: Event, row: Base, changes: Changes
) -> dict[str, Any]:
    return _audit(
        session,
        event.type,
        target=(event.type.partition(".")[0], event.subject),
        label=getattr(row, "label", None),
        changes=changes,
    )


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
