"""Failures of commands, in one line that says what to do."""

import sys

from app.errors import OperatorError, ZenithError

_BY_SQLSTATE = {
    "42P01": "The schema is missing or old: run `zenith migrate`.",
    "42703": "The schema is missing or old: run `zenith migrate`.",
    "42501": "This role may not do that: set DATABASE_ADMIN_URL to the owner's.",
}


def explain(error: Exception) -> str | None:
    """Return the line for the operator; None for a fault of ours."""
    if isinstance(error, ZenithError) and error.errors:
        return " ".join(field.detail for field in error.errors)
    if isinstance(error, OperatorError | ZenithError):
        return str(error)
    # A command that never loaded this cannot have failed in it.
    errors = sys.modules.get("app.db.errors")
    if errors is None:
        return None
    expected = errors.translate(error)
    if expected is not None:
        return explain(expected)
    return _BY_SQLSTATE.get(errors.sqlstate(error) or "")
