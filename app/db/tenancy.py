"""On whose behalf statements run: what row-level security looks at, and the books.

Policies of the tables read settings of the transaction. A read of the fast lane is one
statement, which sets its own; a transaction of a session sets them as it begins. They
never stay on a connection, which the next request of somebody else may get.
"""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    Connection,
    Select,
    SQLColumnExpression,
    Text,
    Uuid,
    bindparam,
    cast,
    event,
    func,
    literal_column,
    select,
    text,
    true,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Session, SessionTransaction

_CONTEXT = "zenith.context"  # in the `info` of a session
_SET = text(
    "SELECT set_config('app.organization_id', :organization_id, true),"
    " set_config('app.user_id', :user_id, true)"
)


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes changes, as the audit trail names them."""

    type: Literal["user", "api_key", "system"] = "system"
    id: UUID | None = None
    label: str | None = None
    """The name of a key; a user's is looked up by whoever reads, while there is one."""
    impersonator_id: UUID | None = None
    ip: str | None = None


SYSTEM = Author()


@dataclass(frozen=True, slots=True)
class Context:
    """Whose rows a transaction may see, and who changes them."""

    organization_id: UUID | None = None
    user_id: UUID | None = None
    author: Author = SYSTEM

    def settings(self) -> dict[str, str]:
        # What is not set is empty: on a connection that was used before it is never
        # absent, and policies take both for nobody.
        return {
            "organization_id": str(self.organization_id or ""),
            "user_id": str(self.user_id or ""),
        }


NOBODY = Context()


def bind(session: AsyncSession, context: Context) -> None:
    """Let the session's transactions begin in a context."""
    assert not session.in_transaction(), "use `enter`: a transaction has begun"
    session.info[_CONTEXT] = context


async def enter(session: AsyncSession, **changes: Any) -> None:
    """Change parts of a session's context: of its transaction, and of later ones."""
    context = replace(context_of(session), **changes)
    if session.in_transaction():
        await session.execute(_SET, context.settings())
    session.info[_CONTEXT] = context


@contextlib.asynccontextmanager
async def inside(session: AsyncSession, **changes: Any) -> AsyncIterator[None]:
    """Change parts of a session's context for a while.

    A failure leaves them so: it ends the transaction.
    """
    before = context_of(session)
    await enter(session, **changes)
    yield
    await enter(session, user_id=before.user_id, organization_id=before.organization_id)


def context_of(session: AsyncSession) -> Context:
    context: Context = session.info.get(_CONTEXT, NOBODY)
    return context


@event.listens_for(Session, "after_begin")
def _set_context(
    session: Session, transaction: SessionTransaction, connection: Connection
) -> None:
    context: Context = session.info.get(_CONTEXT, NOBODY)
    if context != NOBODY and not transaction.nested:
        connection.execute(_SET, context.settings())


def of_organization(column: SQLColumnExpression[Any]) -> Any:
    """Return the condition that a fast read of one organization begins with."""
    return column == bindparam("organization_id", type_=Uuid())


def in_context(
    statement: Select[*tuple[Any, ...]], *names: str
) -> Select[*tuple[Any, ...]]:
    """Make a SELECT set the context it runs in, from its parameters of these names.

    A setting made by a statement is good for the rows that it looks up afterwards.
    LATERAL makes sure of "afterwards": what is selected depends on what was set. OFFSET
    keeps the planner from flattening it, and so from looking rows up first.
    """
    settings = [
        func.set_config(
            f"app.{name}", cast(bindparam(name, type_=Uuid()), Text), true()
        ).label(name)
        for name in names
    ]
    context = select(*settings).cte("context").prefix_with("MATERIALIZED")
    ready = statement.where(*(context.c[name].is_not(None) for name in names))
    if ready._limit_clause is None and ready._offset_clause is None:  # noqa: SLF001 - no other way to know
        ready = ready.offset(literal_column("0"))
    rows = ready.correlate(context).lateral("rows")
    return select(rows).select_from(context.join(rows, true()))
