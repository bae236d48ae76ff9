"""Files in a folder, for a machine that stands alone."""

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple
from uuid import uuid4

import structlog
from anyio import to_thread
from typing_extensions import override

from app.integrations.storage.port import (
    NoSuchObject,
    Part,
    Storage,
    checked,
    unavailable,
)

R = TypeVar("R")
Ts = TypeVarTuple("Ts")

_NOT_A_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)

_log = structlog.get_logger()


class FolderStorage(Storage):
    """Keeps each object as a file, written beside its place and moved there whole."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        await _in_thread(self._write, checked(key), content)

    @override
    async def get(self, key: str) -> bytes:
        return await _in_thread(_read, self._folder / checked(key))

    @override
    async def part(self, key: str, *, start: int, most: int) -> Part:
        return await _in_thread(_read_part, self._folder / checked(key), start, most)

    @override
    async def delete(self, key: str) -> None:
        await _in_thread(_remove, self._folder / checked(key))

    @override
    async def delete_below(self, folder: str) -> None:
        await _in_thread(_remove_tree, self._folder / checked(folder))

    def _write(self, key: str, content: bytes) -> None:
        place = self._folder / key
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_name(f".{uuid4().hex}")  # which is no key
        try:
            with beside.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        for folder in place.parents[: key.count("/") + 1]:  # any of them may be new
            _sync(folder)


async def _in_thread(work: Callable[[*Ts], R], *arguments: *Ts) -> R:
    try:
        return await to_thread.run_sync(work, *arguments)
    except OSError as error:
        _log.warning("the storage failed", error=error.strerror)
        raise unavailable() from error


def _read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except _NOT_A_FILE:
        raise NoSuchObject from None


def _read_part(place: Path, start: int, most: int) -> Part:
    # Opened anew for each part: whoever stops in between leaves nothing open.
    try:
        with place.open("rb") as file:
            file.seek(start)
            return Part(file.read(most), os.fstat(file.fileno()).st_size)
    except _NOT_A_FILE:
        raise NoSuchObject from None


def _remove(place: Path) -> None:
    with contextlib.suppress(*_NOT_A_FILE):
        place.unlink()


def _remove_tree(place: Path) -> None:
    shutil.rmtree(place, onerror=_unless_gone)


def _unless_gone(_: object, __: str, error: Any) -> None:
    """Go on where somebody else has removed a file first."""
    if not isinstance(error[1], _NOT_A_FILE):
        raise error[1]


def _sync(folder: Path) -> None:
    """Let the names in a folder outlast a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
