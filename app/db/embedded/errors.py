"""The one failure that the embedded database shows."""

import re

from app.errors import OperatorError

_MOST_LINES = 5


class EmbeddedPostgresError(OperatorError):
    """Say in one line for the operator what to set or do instead."""


def last_words(output: str) -> str:
    """Choose the lines that tell why a program failed, one below the other."""
    # Clients that come too early are refused with FATAL, too.
    lines = [line for line in output.splitlines() if "database system is" not in line]
    telling = [line for line in lines if re.search("FATAL|PANIC|ERROR|rror:", line)]
    return "\n".join((telling or lines)[-_MOST_LINES:]) or "(nothing)"
