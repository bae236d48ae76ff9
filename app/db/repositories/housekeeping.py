"""Queries that delete what is out of date, a batch at a time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.jobs import logged
from app.models.devices import UserDevice
from app.models.email_tokens import EmailToken
from app.models.jobs import LOG, QUEUE
from app.models.sessions import UserSession

DEVICES_FOR = timedelta(days=400)
"""Then a device that comes back is a new one."""
INVITATIONS_FOR = timedelta(days=30)
"""After they have expired, whatever has become of them."""
HISTORIES_FOR = timedelta(days=7)
"""Of jobs that are done."""
HELD_FOR = timedelta(days=30)
"""Then a job that nobody has seen to is given up, and whom it names is forgotten."""
ENDS_FOR = timedelta(minutes=1)
"""Workers delete jobs that are done at once, unless they are killed before."""


def _oldest(key: Any, out_of_date: ColumnElement[bool], *, first: Any) -> Select[Any]:
    """Select the keys of a batch; a row that somebody else has locked is left."""
    found = select(key).where(out_of_date).order_by(first)
    return found.limit(bindparam("limit")).with_for_update(skip_locked=True)


def _end(out_of_date: ColumnElement[bool], status: str) -> Any:
    """Delete jobs, and write down how each has ended."""
    old = _oldest(QUEUE.c.id, out_of_date, first=QUEUE.c.id)
    return logged(delete(QUEUE).where(QUEUE.c.id.in_(old)), status)


_LOG_IS_OLD = and_(
    LOG.c.created < func.now() - HISTORIES_FOR,
    ~exists().where(QUEUE.c.id == LOG.c.job_id),
)
_JOB_IS_DONE = and_(
    QUEUE.c.status == "successful", QUEUE.c.updated < func.now() - ENDS_FOR
)
_JOB_IS_GIVEN_UP = and_(
    QUEUE.c.status == "failed", QUEUE.c.updated < func.now() - HELD_FOR
)
_SWEEPS: Mapping[str, Sequence[Any]] = {
    "devices": [
        delete(UserDevice).where(
            UserDevice.id.in_(
                _oldest(
                    UserDevice.id,
                    UserDevice.last_seen_at < func.now() - DEVICES_FOR,
                    first=UserDevice.last_seen_at,
                )
            )
        )
    ],
    "email_tokens": [
        delete(EmailToken).where(
            EmailToken.id.in_(
                _oldest(
                    EmailToken.id,
                    EmailToken.expires_at < func.now(),
                    first=EmailToken.expires_at,
                )
            )
        )
    ],
    "sessions": [
        delete(UserSession).where(
            UserSession.id.in_(
                _oldest(
                    UserSession.id,
                    UserSession.expires_at < func.now(),
                    first=UserSession.expires_at,
                )
            )
        )
    ],
    "jobs": [
        _end(_JOB_IS_GIVEN_UP, "deleted"),
        _end(_JOB_IS_DONE, "successful"),
        delete(LOG).where(
            LOG.c.id.in_(_oldest(LOG.c.id, _LOG_IS_OLD, first=LOG.c.created))
        ),
    ],
}
# Rows under row-level security, which the owner's functions can reach.
_FUNCTIONS: Mapping[str, Any] = {
    "invitations": select(
        func.sweep_invitations(func.now() - INVITATIONS_FOR, bindparam("limit"))
    ),
}


class HousekeepingRepository:
    """Rows of the whole system that have had their time."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def sweep(self, what: str, *, limit: int) -> int:
        """Delete a batch; return how many rows that were, at most the limit."""
        if what in _FUNCTIONS:
            swept = await self._session.scalar(_FUNCTIONS[what], {"limit": limit})
            return int(swept)
        deleted = 0
        for statement in _SWEEPS[what]:
            left = {"limit": limit - deleted}
            result = await self._session.execute(statement, left)
            assert isinstance(result, CursorResult)
            deleted += result.rowcount
        return deleted
