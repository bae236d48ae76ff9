"""Pictures."""

from io import BytesIO
from typing import Any

from httpx2 import Response
from PIL import Image

from tests.factories.users import Account

AVATAR = "/api/v1/users/me/avatar"
PROFILE = "/api/v1/users/me/profile"
KINDS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
}


def picture(
    kind: str = "PNG",
    *,
    size: tuple[int, int] = (64, 48),
    mode: str = "RGB",
    **options: Any,
) -> bytes:
    """A picture that is black on its left and white on its right."""
    image = Image.linear_gradient("L").rotate(90).resize(size).convert(mode)
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


async def upload(
    who: Account, content: bytes, media_type: str = "image/png", **headers: str
) -> Response:
    sent = {"Content-Type": media_type, **headers}
    return await who.client.put(AVATAR, content=content, headers=sent)
