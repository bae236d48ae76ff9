"""How every connection to PostgreSQL is made, whichever lane uses it."""

from typing import Any, TypeAlias

import asyncpg

from app.errors import Unavailable

CONNECT_SECONDS = 5
POOL_SECONDS = 5
STATEMENT_SECONDS = 10
LOCK_SECONDS = 4
IDLE_IN_TRANSACTION_SECONDS = 30

# The server ends a statement first; this one is for a server that stopped answering.
_CLIENT_SECONDS = STATEMENT_SECONDS + 2

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def asyncpg_url(url: str) -> str:
    """Spell a PostgreSQL URL as libpq and asyncpg do, without SQLAlchemy's driver."""
    _, separator, rest = url.partition("://")
    return f"postgresql{separator}{rest}"


async def connect(url: str, **options: Any) -> Connection:
    """Open a connection whose every wait is bounded.

    Raises `Unavailable` when there is no server, or none that lets this role in.
    """
    try:
        return await asyncpg.connect(
            asyncpg_url(url),
            # asyncpg's pool passes its own choice of these; they are the same.
            **{**_options(), **options},
        )
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise database_unavailable() from error


def database_unavailable() -> Unavailable:
    return Unavailable("The database does not answer now.")


def _options() -> dict[str, Any]:
    """Bound the time to connect, for a statement, for a lock, inside a transaction.

    The just-in-time compiler is off, for it costs more than short statements gain.
    """
    return {
        "timeout": CONNECT_SECONDS,
        "command_timeout": _CLIENT_SECONDS,
        "server_settings": {
            "application_name": "zenith",
            "statement_timeout": f"{STATEMENT_SECONDS}s",
            "lock_timeout": f"{LOCK_SECONDS}s",
            "idle_in_transaction_session_timeout": f"{IDLE_IN_TRANSACTION_SECONDS}s",
            "timezone": "UTC",
            "jit": "off",
        },
    }
