"""Pictures as bodies: read from clients, and sent to them."""

from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from app.errors import UnsupportedMediaType
from app.pictures import FORMATS, WEBP
from app.web.routing import StrictRequest

AVATAR_PATH = "/users/me/avatar"
MAX_BYTES = 1024 * 1024

_BINARY = {"type": "string", "format": "binary"}

PICTURE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": _BINARY} for media_type in FORMATS},
    }
}
"""What OpenAPI says of a picture, which FastAPI does not read itself."""


class PictureResponse(Response):
    media_type: str | None = WEBP


@dataclass(frozen=True, slots=True)
class Upload:
    """What a client sent, and what it says that it is."""

    content: bytes
    media_type: str


async def read_picture(request: Request) -> Upload:
    """Read a body of a media type that pictures have."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    media_type = media_type.strip().lower()
    if media_type not in FORMATS:
        names = ", ".join(FORMATS)
        raise UnsupportedMediaType(f"Send a picture as one of {names}.")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType(
            "Send the picture as it is, not compressed once more.",
            headers={"Accept-Encoding": "identity"},
        )
    assert isinstance(request, StrictRequest)
    return Upload(await request.raw_body(max_bytes=MAX_BYTES), media_type)
