"""The socket of the server, as clients reach it."""

import os
import socket
import struct
import sys
from pathlib import Path

from app.db.embedded.bootstrap import SUPERUSER
from app.db.embedded.errors import EmbeddedPostgresError

_NAME = ".s.PGSQL.5432"
_LONGEST_PATH = 107 if sys.platform == "linux" else 103
_PROTOCOL_3 = 3 << 16
_CANNOT_CONNECT_NOW = b"57P03"
_READY_FOR_QUERY = b"Z\0\0\0\x05I"
_TERMINATE = b"X\0\0\0\x04"
_PATIENCE_SECONDS = 1


class ServerSocket:
    """A folder with a socket, under a name that every client can take."""

    def __init__(self, folder: Path) -> None:
        self._descriptor: int | None = None
        self.folder = str(folder)
        if not _fits(self.folder):
            self._descriptor = _open(folder)
            # The processes started by this one can use this name while it lives.
            self.folder = f"/proc/{os.getpid()}/fd/{self._descriptor}"

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def answers(self) -> bool:
        """Connect for real: a server that recovers accepts and then refuses."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_PATIENCE_SECONDS)
            try:
                connection.connect(f"{self.folder}/{_NAME}")
                connection.sendall(_startup_message())
                return _is_welcome(connection)
            except OSError:
                return False


def _fits(folder: str) -> bool:
    # A comma would divide hosts in a URL.
    length = len(os.fsencode(f"{folder}/{_NAME}"))
    return length <= _LONGEST_PATH and "," not in folder and folder.isprintable()


def _open(folder: Path) -> int:
    if sys.platform != "linux":
        raise EmbeddedPostgresError(
            f"{folder} is too long for a socket, or holds a comma: choose another"
            " --home or set DATABASE_URL."
        )
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)


def _startup_message() -> bytes:
    name = SUPERUSER.encode()
    body = b"user\0" + name + b"\0database\0" + name + b"\0\0"
    return struct.pack("!ii", len(body) + 8, _PROTOCOL_3) + body


def _is_welcome(connection: socket.socket) -> bool:
    reply = b""
    while not reply.endswith(_READY_FOR_QUERY):
        received = connection.recv(4096)
        reply += received
        if reply.startswith(b"E"):
            # A server that refuses for another reason, as its limit of clients, is up.
            return _CANNOT_CONNECT_NOW not in reply
        if not received:
            return False
    connection.sendall(_TERMINATE)
    return True
