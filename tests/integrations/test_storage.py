"""Storages: what every one of them does, and what each does when it cannot."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from pydantic import SecretStr
from structlog.testing import capture_logs

from app.errors import Unavailable
from app.integrations.storage import (
    FolderStorage,
    NoSuchObject,
    Part,
    Storage,
    storage_of,
)
from app.integrations.storage.objects import ObjectStorage, open_store
from tests.conftest import settings_for
from tests.valkey import free_port

TYPE = "text/plain"
KEY = "notes/one/two.txt"


@pytest.fixture(params=["folder", "objects"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "folder":
        return FolderStorage(tmp_path / "inner" / "files")
    return ObjectStorage(MemoryStore())


class TestStorage:
    async def test_returns_what_was_put_last(self, storage: Storage) -> None:
        for content in (b"first", b"", bytes(range(256)) * 5000):
            await storage.put(KEY, content, content_type=TYPE)
            assert await storage.get(KEY) == content

    async def test_returns_parts(self, storage: Storage) -> None:
        content = bytes(range(10))
        await storage.put(KEY, content, content_type=TYPE)
        for start, most in ((0, 4), (4, 4), (8, 4), (0, 10), (0, 99)):
            part = await storage.part(KEY, start=start, most=most)
            assert part == Part(content[start : start + most], 10)
        with pytest.raises(NoSuchObject):
            await storage.part("notes/none", start=0, most=1)

    async def test_deletes_once_or_twice(self, storage: Storage) -> None:
        await storage.put(KEY, b"x", content_type=TYPE)
        for _ in range(2):
            await storage.delete(KEY)
            with pytest.raises(NoSuchObject):
                await storage.get(KEY)

    async def test_knows_nothing_of_a_part_of_a_key(self, storage: Storage) -> None:
        await storage.put(KEY, b"x", content_type=TYPE)
        for other in ("notes/one", "notes/one/two.txt/three"):
            await storage.delete(other)
            with pytest.raises(NoSuchObject):
                await storage.get(other)
        assert await storage.get(KEY) == b"x"

    async def test_deletes_all_that_is_below(self, storage: Storage) -> None:
        kept = ("notes/one.txt", "notes/ones/two.txt", "other/one/two.txt")
        for key in (KEY, "notes/one/a/b.txt", *kept):
            await storage.put(key, b"x", content_type=TYPE)
        for _ in range(2):
            await storage.delete_below("notes/one")
        for gone in (KEY, "notes/one/a/b.txt"):
            with pytest.raises(NoSuchObject):
                await storage.get(gone)
        for key in kept:
            assert await storage.get(key) == b"x"

    async def test_many_at_once_are_kept_apart(self, storage: Storage) -> None:
        names = [f"notes/{number}" for number in range(50)]
        await asyncio.gather(
            *(storage.put(name, name.encode(), content_type=TYPE) for name in names)
        )
        for name in names:
            assert await storage.get(name) == name.encode()

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/",
            "/etc/passwd",
            "..",
            "../up",
            "a/../../up",
            "a/./b",
            "a//b",
            "a/",
            ".hidden",
            "a\\..\\b",
            "a\0b",
            "a\n",
            "C:/x",
            "Upper",
            "é",
            "%2e%2e/up",
            "a/" * 8 + "a",
            "a" * 200,
        ],
    )
    async def test_takes_no_key_that_could_lead_elsewhere(
        self, storage: Storage, key: str
    ) -> None:
        for call in (
            storage.put(key, b"x", content_type=TYPE),
            storage.get(key),
            storage.part(key, start=0, most=1),
            storage.delete(key),
            storage.delete_below(key),
        ):
            with pytest.raises(ValueError, match="not a key"):
                await call


class TestFolderStorage:
    async def test_is_where_nothing_else_is_named(self, tmp_path: Path) -> None:
        storage = storage_of(settings_for(ZENITH_HOME=tmp_path))
        await storage.put(KEY, b"x", content_type=TYPE)
        assert (tmp_path / "files" / KEY).read_bytes() == b"x"
        assert (tmp_path / "files").stat().st_mode & 0o077 == 0

    async def test_shows_an_object_whole_or_not_at_all(self, tmp_path: Path) -> None:
        storage, done = FolderStorage(tmp_path), asyncio.Event()
        contents = [bytes([number]) * 200_000 for number in range(2)]
        await storage.put(KEY, contents[0], content_type=TYPE)

        async def write() -> None:
            for number in range(50):
                await storage.put(KEY, contents[number % 2], content_type=TYPE)
            done.set()

        writing = asyncio.create_task(write())
        while not done.is_set():
            assert await storage.get(KEY) in contents
        await writing

    async def test_leaves_nothing_of_a_write_that_failed(self, tmp_path: Path) -> None:
        storage = FolderStorage(tmp_path)
        (tmp_path / KEY).mkdir(parents=True)  # in the way of the file
        with pytest.raises(Unavailable):
            await storage.put(KEY, b"x", content_type=TYPE)
        assert [path.name for path in (tmp_path / KEY).parent.iterdir()] == ["two.txt"]

    async def test_says_when_there_is_no_folder_to_be_had(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("no folder")
        with pytest.raises(Unavailable):
            await FolderStorage(tmp_path / "file").put(KEY, b"x", content_type=TYPE)


@pytest.fixture
async def hanging() -> AsyncIterator[str]:
    """The URL of a bucket whose server takes connections and says nothing."""
    left = asyncio.Event()

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await left.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        yield f"s3://bucket?endpoint=http://127.0.0.1:{port}&region=us-east-1"
        left.set()


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-value")


@pytest.mark.usefixtures("credentials")
class TestObjectStorage:
    async def assert_away(self, url: str) -> None:
        storage = ObjectStorage(open_store(url, seconds=timedelta(milliseconds=300)))
        for call in (
            storage.put(KEY, b"x", content_type=TYPE),
            storage.get(KEY),
            storage.delete(KEY),
        ):
            with pytest.raises(Unavailable) as caught:
                await call
            assert "127.0.0.1" not in caught.value.detail

    async def test_gives_up_where_nobody_listens(self) -> None:
        endpoint = f"http://127.0.0.1:{free_port()}"
        await self.assert_away(f"s3://bucket?endpoint={endpoint}&region=us-east-1")

    async def test_gives_up_where_nobody_answers(self, hanging: str) -> None:
        await self.assert_away(hanging)

    async def test_asks_the_endpoint_for_the_bucket_and_the_prefix(self) -> None:
        seen = asyncio.Queue[bytes]()

        async def refuse(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await seen.put(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()

        async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            url = f"s3://bucket/a/b/?endpoint=http://127.0.0.1:{port}&region=eu-west-9"
            storage = storage_of(settings_for(STORAGE_URL=SecretStr(url)))
            with pytest.raises(Unavailable), capture_logs() as logged:
                await storage.get(KEY)
        head = seen.get_nowait()
        assert head.startswith(f"GET /bucket/a/b/{KEY} HTTP/1.1\r\n".encode())
        assert b"Credential=an-id/" in head
        assert b"/eu-west-9/s3/" in head
        (event,) = logged
        assert event["event"] == "the storage failed"
        assert "hidden-value" not in str(event)

    async def test_stores_the_type_of_the_content(self) -> None:
        store = MemoryStore()
        await ObjectStorage(store).put(KEY, b"x", content_type=TYPE)
        assert (await store.get_async(KEY)).attributes == {"Content-Type": TYPE}


def test_without_a_url_the_package_is_not_imported() -> None:
    code = "import sys, app.main; sys.exit(bool({'obstore', 'PIL'} & {*sys.modules}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
