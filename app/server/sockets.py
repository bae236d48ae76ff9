"""The socket that a server listens on, and how many it may have open."""

import contextlib
import errno
import os
import socket
import sys
from typing import Any

from app.errors import OperatorError

BACKLOG = 2048
MAX_PORT = 65535


class CannotListen(OperatorError):
    """The address cannot be listened on; the message is one line for the operator."""


class PortTaken(CannotListen):
    """Another program listens on the port."""


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one.

    Listening here, and not when the server starts, is what makes a second server on
    the port fail: with SO_REUSEADDR, two sockets may be bound until one listens.
    """
    family, address = _resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":  # elsewhere it lets others take the port over
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _explain(error, host, port) from error
    return listener


def _resolve(host: str, port: int) -> tuple[int, tuple[Any, ...]]:
    """Look a host up; IPv4 comes first, as ``localhost`` means it to most clients."""
    if not 0 <= port <= MAX_PORT:  # the system would take it modulo 65536
        raise CannotListen(f"A port is between 0 and {MAX_PORT}.")
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise CannotListen(
            f"Host {host!r} (--host or HOST) cannot be resolved."
        ) from error
    family, _, _, _, address = min(found, key=lambda info: info[0] != socket.AF_INET)
    return family, address


def _explain(error: OSError, host: str, port: int) -> CannotListen:
    if error.errno == errno.EADDRINUSE:
        return PortTaken(f"Port {port} is in use; choose another with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return CannotListen(f"This machine has no address {host!r}.")
    if error.errno == errno.EACCES:
        return CannotListen(f"This user may not open port {port}.")
    return CannotListen(f"Cannot listen on port {port} of {host!r}: {error.strerror}.")


def raise_file_limit() -> None:
    """Allow as many open files, and so connections, as this user may have."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 -- Windows has no such module

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # macOS calls its limit infinite
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
