"""One's avatar: what comes in, what is kept, and what nobody gets through."""

from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from httpx2 import Response
from PIL import Image
from pydantic import SecretStr

from app.config import Settings
from app.db.connections import Connection
from app.jobs.files import remove_file, remove_folder
from app.jobs.handlers import handle
from app.models.profiles import UserProfile
from app.queue.files import RemoveFile, RemoveFolder
from app.services.avatars import AvatarFiles
from tests.conftest import BASE_URL, running
from tests.contract.answers import complaints
from tests.factories.pictures import AVATAR, KINDS, PROFILE, picture, upload
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
)
from tests.valkey import free_port
from tests.working import do_jobs

LOOKING_AFTER = (handle(RemoveFile, remove_file), handle(RemoveFolder, remove_folder))
ORIENTATION, TURNED = 0x0112, 6  # a camera held on its side
BARE_CHUNKS = {b"VP8 ", b"VP8L", b"VP8X", b"ALPH"}


def shown(answer: Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/webp"
    image = Image.open(BytesIO(answer.content))
    assert image.format == "WEBP"
    return image


def chunks(webp: bytes) -> Iterator[bytes]:
    """Yield the names of what a WebP is made of."""
    at = 12
    while at < len(webp):
        yield webp[at : at + 4]
        size = int.from_bytes(webp[at + 4 : at + 8], "little")
        at += 8 + size + size % 2


def files_of(who: Account, settings: Settings) -> list[Path]:
    folder = settings.ZENITH_HOME / "files" / "avatars" / str(who.user.id)
    return list(folder.glob("*"))


class TestPutAvatar:
    @pytest.mark.parametrize(("media_type", "kind"), KINDS.items())
    async def test_takes_every_kind(
        self, app: FastAPI, media_type: str, kind: str
    ) -> None:
        ada = await account(app)
        spelled = f"{media_type.upper()}; charset=binary"
        answer = await upload(ada, picture(kind), spelled)
        assert (answer.status_code, answer.content) == (204, b"")
        image = shown(await ada.client.get(AVATAR))
        assert image.size == (64, 48)

    @pytest.mark.parametrize(
        ("size", "kept"),
        [((2048, 1024), (512, 256)), ((1, 4096), (1, 512)), ((512, 512), (512, 512))],
    )
    async def test_keeps_the_shape_of_a_large_one(
        self, app: FastAPI, size: tuple[int, int], kept: tuple[int, int]
    ) -> None:
        ada = await account(app)
        for media_type, kind in KINDS.items():
            await upload(ada, picture(kind, size=size), media_type)
            assert shown(await ada.client.get(AVATAR)).size == kept

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
    async def test_takes_every_kind_of_pixel(self, app: FastAPI, mode: str) -> None:
        ada = await account(app)
        assert (await upload(ada, picture(mode=mode))).status_code == 204

    async def test_takes_colours_for_print(self, app: FastAPI) -> None:
        ada = await account(app)
        answer = await upload(ada, picture("JPEG", mode="CMYK"), "image/jpeg")
        assert answer.status_code == 204

    async def test_keeps_what_is_transparent(self, app: FastAPI) -> None:
        ada, file = await account(app), BytesIO()
        Image.new("RGBA", (9, 9), (255, 0, 0, 0)).save(file, "PNG")
        await upload(ada, file.getvalue())
        assert shown(await ada.client.get(AVATAR)).getpixel((4, 4))[3] == 0  # type: ignore[index]  # it has bands

    async def test_turns_it_upright_and_strips_its_metadata(self, app: FastAPI) -> None:
        ada, exif = await account(app), Image.Exif()
        exif[ORIENTATION] = TURNED
        exif[0x010E] = "where it was taken"
        sent = picture(
            "JPEG",
            exif=exif,
            icc_profile=b"a profile",
            comment=b"a comment",
            xmp=b"<x:xmpmeta/>",
        )
        assert b"where it was taken" in sent
        await upload(ada, sent, "image/jpeg")
        answer = await ada.client.get(AVATAR)
        assert shown(answer).size == (48, 64)
        assert set(chunks(answer.content)) <= BARE_CHUNKS

    @pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
    async def test_keeps_the_first_frame(self, app: FastAPI, kind: str) -> None:
        ada = await account(app)
        frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
        file = BytesIO()
        frames[0].save(file, kind, save_all=True, append_images=frames[1:])
        await upload(ada, file.getvalue(), f"image/{kind.lower()}")
        image = shown(await ada.client.get(AVATAR))
        assert getattr(image, "n_frames", 1) == 1
        red, _, blue = image.convert("RGB").getpixel((4, 4))  # type: ignore[misc]  # it has bands
        assert (red > 200, blue < 50) == (True, True)

    async def test_replaces_the_one_before(
        self, app: FastAPI, settings: Settings
    ) -> None:
        ada = await account(app)
        await upload(ada, picture())
        before = files_of(ada, settings)
        await upload(ada, picture(size=(10, 10)))
        await do_jobs(app, *LOOKING_AFTER)
        after = files_of(ada, settings)
        assert len(before) == len(after) == 1
        assert before != after
        assert shown(await ada.client.get(AVATAR)).size == (10, 10)

    async def test_is_told_by_the_profile(self, app: FastAPI) -> None:
        ada = await account(app)
        urls = []
        for _ in range(2):
            await upload(ada, picture())
            urls.append((await ada.client.get(PROFILE)).json()["avatar_url"])
        assert urls[0] != urls[1]
        assert urls[0].startswith(f"{BASE_URL}{AVATAR}?v=")
        path = urls[1].removeprefix(BASE_URL)
        assert urlsplit(path).path == AVATAR
        shown(await ada.client.get(path))


class TestGetAvatar:
    async def test_is_not_there_before_it_is_put(self, app: FastAPI) -> None:
        ada = await account(app)
        assert complaints(await ada.client.get(AVATAR), status=404) == []

    async def test_is_not_sent_again_until_it_changes(self, app: FastAPI) -> None:
        ada = await account(app)
        await upload(ada, picture())
        answer = await ada.client.get(AVATAR)
        assert answer.headers["cache-control"] == "private, no-cache"
        assert answer.headers["x-content-type-options"] == "nosniff"
        known = {"If-None-Match": answer.headers["etag"]}
        assert (await ada.client.get(AVATAR, headers=known)).status_code == 304
        await upload(ada, picture())
        assert (await ada.client.get(AVATAR, headers=known)).status_code == 200

    async def test_is_ones_own(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        await upload(ada, picture())
        assert (await bob.client.get(AVATAR)).status_code == 404

    async def test_is_missing_where_its_file_is(
        self, app: FastAPI, settings: Settings
    ) -> None:
        ada = await account(app)
        await upload(ada, picture())
        (file,) = files_of(ada, settings)
        file.unlink()
        assert complaints(await ada.client.get(AVATAR), status=404) == []


class TestDeleteAvatar:
    async def test_removes_it_once_or_twice(
        self, app: FastAPI, settings: Settings
    ) -> None:
        ada = await account(app)
        await upload(ada, picture())
        for _ in range(2):
            assert (await ada.client.delete(AVATAR)).status_code == 204
        assert (await ada.client.get(AVATAR)).status_code == 404
        assert (await ada.client.get(PROFILE)).json()["avatar_url"] is None
        await do_jobs(app, *LOOKING_AFTER)
        assert files_of(ada, settings) == []


class TestErasure:
    @pytest.mark.parametrize("by", ["themselves", "a superuser"])
    async def test_takes_the_profile_and_the_avatar(
        self,
        app: FastAPI,
        settings: Settings,
        owner_connection: Connection,
        by: str,
    ) -> None:
        ada = await account_with_password(app)
        await upload(ada, picture())
        # What an upload whose commit failed has left behind goes with the rest.
        orphan = AvatarFiles(app.state.resources.storage)
        await orphan.add(ada.user.id, b"left behind")
        if by == "themselves":
            url = "/api/v1/auth/delete-account"
            answer = await ada.client.post(url, json={"password": PASSWORD})
        else:
            root = await account(app, is_superuser=True)
            answer = await root.client.delete(f"/api/v1/users/{ada.user.id}")
        assert answer.status_code == 204
        await do_jobs(app, *LOOKING_AFTER)
        assert files_of(ada, settings) == []
        count = "SELECT count(*) FROM user_profiles WHERE user_id = $1"
        assert await owner_connection.fetchval(count, ada.user.id) == 0


class TestStorageAway:
    @pytest.fixture
    async def owner(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[Account]:
        """Somebody whose avatar is in a storage that does not answer."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "of a test")
        endpoint = f"http://127.0.0.1:{free_port()}"
        url = SecretStr(f"s3://bucket?endpoint={endpoint}&region=us-east-1")
        given = settings.model_copy(update={"STORAGE_URL": url})
        async with running(given) as away:
            ada = await account(away)
            async with away.state.resources.sessions.begin() as session:
                session.add(UserProfile(id=ada.user.id, avatar_key="avatars/a/b.webp"))
            yield ada

    async def test_is_told(self, owner: Account) -> None:
        assert complaints(await owner.client.get(AVATAR), status=503) == []
        tag = (await owner.client.get(PROFILE)).headers["etag"]
        assert complaints(await upload(owner, picture()), status=503) == []
        assert (await owner.client.get(PROFILE)).headers["etag"] == tag

    async def test_keeps_nobody_from_removing_it(self, owner: Account) -> None:
        assert (await owner.client.delete(AVATAR)).status_code == 204
        assert (await owner.client.get(AVATAR)).status_code == 404
