"""What the database says, in the words of the API: by SQLSTATE, in one place."""

from collections.abc import Mapping

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm.exc import StaleDataError

from app.db.connections import database_unavailable
from app.errors import (
    AlreadyInvited,
    AlreadyMember,
    Conflict,
    EmailTaken,
    FieldError,
    SlugTaken,
    Unavailable,
    ValidationFailed,
    ZenithError,
)

DATABASE_ERRORS = (
    StaleDataError,
    DBAPIError,
    PoolTimeout,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    TimeoutError,
)
"""Everything that a statement can raise, on either lane."""

NO_DATABASE = (Unavailable, OSError, *DATABASE_ERRORS)
"""The same, and what opening a connection to a database that is away can raise."""

CONSTRAINTS: Mapping[str, tuple[type[Conflict], str]] = {
    "uq_users_email": (EmailTaken, "Another account has this e-mail address."),
    "uq_organizations_slug": (SlugTaken, "Another organization has this slug."),
    "uq_memberships_organization_id_user_id": (AlreadyMember, "They are a member."),
    "uq_invitations_pending": (AlreadyInvited, "They are invited: send it again."),
    "queue_unique_dedupe_key": (Conflict, "Another job does the same already."),
}
"""What it means to violate a constraint; the constraint decides, no check before it."""

# A serialization failure, a deadlock, a plan from before a migration.
_RETRYABLE = frozenset({"40001", "40P01", "0A000"})
_REFUSED_VALUES = frozenset({"22021", "22000", "22001", "22003", "22P02", "23502"})
_CONFLICTS = frozenset({"23503", "23505", "23514", "23P01"})
_UNAVAILABLE_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58"})


def sqlstate(error: BaseException) -> str | None:
    """Return the five characters by which PostgreSQL names what went wrong."""
    return getattr(_driver_error(error), "sqlstate", None)


def can_be_run_again(error: BaseException) -> bool:
    """Tell whether the whole transaction failed for a reason that passes.

    A commit on a lost connection (an error without a statement) is not run again: it
    may have succeeded.
    """
    if isinstance(error, StaleDataError) or sqlstate(error) in _RETRYABLE:
        return True
    if not isinstance(error, DBAPIError) or error.statement is None:
        return False
    return error.connection_invalidated or _is_farewell(error)


def _is_farewell(error: DBAPIError) -> bool:
    # asyncpg has read that its backend ends, and not yet that the socket is closed.
    return isinstance(error.driver_exception, asyncpg.InternalClientError)


def translate(error: BaseException) -> ZenithError | None:
    """Return the expected failure behind a database error; None for a fault of ours."""
    if isinstance(error, StaleDataError):
        return Conflict("The row has been changed meanwhile.")
    state = sqlstate(error)
    if state is None:
        return database_unavailable() if _is_no_answer(error) else None
    if state in _CONFLICTS:
        kind, detail = CONSTRAINTS.get(_constraint(error), _CONFLICT)
        return kind(detail)
    if state in _REFUSED_VALUES:
        detail = "The database cannot store one of the values."
        return ValidationFailed(FieldError("", "value_refused", detail))
    if state[:2] in _UNAVAILABLE_CLASSES:
        return database_unavailable()
    return None


_CONFLICT = (Conflict, "The change contradicts what is stored.")


def _driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's own error from inside SQLAlchemy's wrapping."""
    return error.driver_exception if isinstance(error, DBAPIError) else error


def _constraint(error: BaseException) -> str:
    return getattr(_driver_error(error), "constraint_name", None) or ""


def _is_no_answer(error: BaseException) -> bool:
    return isinstance(
        _driver_error(error),
        PoolTimeout
        | TimeoutError
        | asyncpg.InterfaceError
        | asyncpg.InternalClientError,
    )
