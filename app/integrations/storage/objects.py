"""An object storage that speaks S3.

Importing this imports the package `obstore`, an extra: do it where STORAGE_URL is set.
"""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import obstore
import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, S3Store
from typing_extensions import override

from app.integrations.storage.port import (
    NoSuchObject,
    Part,
    Storage,
    checked,
    unavailable,
)

SECONDS = timedelta(seconds=5)  # to connect, for a request, and until the last retry
RETRIES = 2
MAX_REASON = 300  # characters in the log

_log = structlog.get_logger()


def open_store(url: str, *, seconds: timedelta = SECONDS) -> ObjectStore:
    """Make the client of a bucket; credentials are those of the AWS environment."""
    parts = urlsplit(url)
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        client_options={
            "connect_timeout": seconds,
            "timeout": seconds,
            "allow_http": options.get("endpoint", "").startswith("http://"),
        },
        retry_config={"max_retries": RETRIES, "retry_timeout": seconds},
        **options,  # type: ignore[arg-type]  # an endpoint and a region, as the settings have checked
    )


class ObjectStorage(Storage):
    """Keeps each object under its key, below the prefix of its store."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @override
    async def put(self, key: str, content: bytes, *, content_type: str) -> None:
        attributes = {"Content-Type": content_type}
        with _translated():
            await obstore.put_async(
                self._store, checked(key), content, attributes=attributes
            )

    @override
    async def get(self, key: str) -> bytes:
        with _translated():
            found = await obstore.get_async(self._store, checked(key))
            return bytes(await found.bytes_async())

    @override
    async def part(self, key: str, *, start: int, most: int) -> Part:
        # A request of its own for each: one for all would end when its time is over.
        with _translated():
            found = await obstore.get_async(
                self._store, checked(key), options={"range": (start, start + most)}
            )
            return Part(bytes(await found.bytes_async()), found.meta["size"])

    @override
    async def delete(self, key: str) -> None:
        with contextlib.suppress(NoSuchObject), _translated():
            await obstore.delete_async(self._store, checked(key))

    @override
    async def delete_below(self, folder: str) -> None:
        below = f"{checked(folder)}/"
        with _translated():
            async for found in obstore.list(self._store, prefix=below):
                paths = [one["path"] for one in found if one["path"].startswith(below)]
                await obstore.delete_async(self._store, paths)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NoSuchObject from None
    except BaseError as error:
        # The first line names the request; those below repeat it at length.
        reason = str(error).partition("\n")[0][:MAX_REASON]
        _log.warning("the storage failed", error=reason)
        raise unavailable() from error
