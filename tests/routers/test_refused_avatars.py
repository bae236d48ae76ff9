"""What is refused as an avatar: other things, broken ones, and attacks."""

import random
from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.config import Settings
from app.web.pictures import MAX_BYTES
from tests.conftest import running
from tests.contract.answers import complaints, pointers
from tests.factories.pictures import AVATAR, KINDS, picture, upload
from tests.factories.users import Account, account
from tests.routers.test_avatars import files_of

PADDING = b"\0" * 2 * MAX_BYTES


async def exactly(who: Account, size: int) -> Response:
    return await upload(who, (picture() + PADDING)[:size])


class TestWhatIsRefused:
    @pytest.mark.parametrize(
        "media_type",
        ["", "image/*", "image/svg+xml", "image/bmp", "application/json", "text/html"],
    )
    async def test_another_media_type(self, app: FastAPI, media_type: str) -> None:
        ada = await account(app)
        answer = await upload(ada, picture(), media_type)
        assert complaints(answer, status=415) == []

    async def test_a_compressed_body(self, app: FastAPI) -> None:
        ada = await account(app)
        answer = await upload(ada, picture(), **{"Content-Encoding": "gzip"})
        assert complaints(answer, status=415) == []

    @pytest.mark.parametrize("sent_as", KINDS)
    async def test_a_picture_of_another_type(self, app: FastAPI, sent_as: str) -> None:
        ada = await account(app)
        others = [picture(kind) for name, kind in KINDS.items() if name != sent_as]
        for content in (*others, picture("BMP"), picture("TIFF"), picture("PPM")):
            answer = await upload(ada, content, sent_as)
            assert complaints(answer, status=422) == []
            assert pointers(answer) == ["/body"]

    @pytest.mark.parametrize("media_type", KINDS)
    async def test_what_is_no_picture(self, app: FastAPI, media_type: str) -> None:
        ada = await account(app)
        whole = picture(KINDS[media_type])
        for content in (b"", b"\0", whole[:12], b"<svg/>", b"x" * 999, whole[::-1]):
            answer = await upload(ada, content, media_type)
            assert complaints(answer, status=422) == []
            assert pointers(answer) == ["/body"]

    @pytest.mark.parametrize(("media_type", "kind"), KINDS.items())
    async def test_half_a_picture(
        self, app: FastAPI, media_type: str, kind: str
    ) -> None:
        ada = await account(app)
        whole = picture(kind, size=(256, 256))
        answer = await upload(ada, whole[: len(whole) // 2], media_type)
        assert complaints(answer, status=422) == []

    @pytest.mark.parametrize(("media_type", "kind"), KINDS.items())
    async def test_too_many_pixels(
        self, app: FastAPI, media_type: str, kind: str
    ) -> None:
        ada = await account(app)
        for size in ((4097, 1), (1, 4097)):
            answer = await upload(ada, picture(kind, size=size), media_type)
            assert complaints(answer, status=422) == []
            assert answer.json()["errors"][0]["code"] == "picture_size"

    async def test_a_head_that_promises_terabytes(self, app: FastAPI) -> None:
        ada, huge = await account(app), (2**31 - 1).to_bytes(4)
        png, gif, jpeg = picture(), picture("GIF"), picture("JPEG")
        start = jpeg.index(b"\xff\xc0") + 5
        for media_type, content in {
            "image/png": png[:16] + huge + huge + png[24:],
            "image/gif": gif[:6] + b"\xff" * 4 + gif[10:],
            "image/jpeg": jpeg[:start] + b"\xff" * 4 + jpeg[start + 4 :],
        }.items():
            answer = await upload(ada, content, media_type)
            assert complaints(answer, status=422) == []

    async def test_a_jpeg_of_countless_scans(self, app: FastAPI) -> None:
        ada = await account(app)
        jpeg = picture("JPEG", progressive=True)
        start = jpeg.rindex(b"\xff\xda")
        scans = jpeg[:start] + jpeg[start:-2] * 200 + jpeg[-2:]
        answer = await upload(ada, scans, "image/jpeg")
        assert answer.json()["errors"][0]["code"] == "picture_size"

    @pytest.mark.parametrize(("media_type", "kind"), KINDS.items())
    async def test_no_bytes_are_a_fault_of_ours(
        self, app: FastAPI, media_type: str, kind: str
    ) -> None:
        ada, whole, chance = await account(app), picture(kind), random.Random(1)
        spoiled = [whole[: chance.randrange(len(whole))] for _ in range(40)]
        for _ in range(80):
            flipped = bytearray(whole)
            for _ in range(chance.choice((1, 1, 3, 20))):
                flipped[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            spoiled.append(bytes(flipped))
        for other in KINDS.values():
            spoiled += [whole + picture(other), whole[:100] + picture(other)]
        for content in spoiled:
            answer = await upload(ada, content, media_type)
            assert answer.status_code in {204, 422}, answer.text

    async def test_a_refused_one_leaves_the_one_before(
        self, app: FastAPI, settings: Settings
    ) -> None:
        ada = await account(app)
        await upload(ada, picture())
        tag = (await ada.client.get(AVATAR)).headers["etag"]
        for content, headers in ((b"x", {}), (picture(), {"If-Match": '"stale"'})):
            assert (await upload(ada, content, **headers)).is_client_error
        assert (await ada.client.get(AVATAR)).headers["etag"] == tag
        assert len(files_of(ada, settings)) == 1


class TestSize:
    async def test_up_to_a_mebibyte_is_taken(self, app: FastAPI) -> None:
        ada = await account(app)
        assert (await exactly(ada, MAX_BYTES)).status_code == 204
        assert complaints(await exactly(ada, MAX_BYTES + 1), status=413) == []

    @pytest.mark.parametrize("max_body_bytes", [1024, 16 * MAX_BYTES])
    async def test_is_bounded_whatever_other_bodies_are(
        self, settings: Settings, max_body_bytes: int
    ) -> None:
        given = settings.model_copy(update={"MAX_BODY_BYTES": max_body_bytes})
        async with running(given) as app:
            ada = await account(app)
            assert (await exactly(ada, MAX_BYTES)).status_code == 204
            assert (await exactly(ada, MAX_BYTES + 1)).status_code == 413

    async def test_is_counted_where_it_is_not_announced(self, app: FastAPI) -> None:
        ada, sent = await account(app), 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1024
                yield bytes(1024)

        headers = {"Content-Type": "image/png"}
        answer = await ada.client.put(AVATAR, content=endless(), headers=headers)
        assert complaints(answer, status=413) == []
        assert sent == MAX_BYTES + 1024

    async def test_nothing_is_read_of_who_is_nobody(self, client: AsyncClient) -> None:
        read = False

        async def unread() -> AsyncIterator[bytes]:
            nonlocal read
            read = True
            yield b""

        headers = {"Content-Type": "image/png", "Content-Length": str(2**40)}
        answer = await client.put(AVATAR, content=unread(), headers=headers)
        assert complaints(answer, status=401) == []
        assert not read
