"""Pictures from strangers, made small and clean."""

from io import BytesIO

from anyio import CapacityLimiter, to_thread

from app.errors import FieldError, Unavailable, ValidationFailed

FORMATS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
}
"""What is read, by its media type."""

WEBP = "image/webp"
SIDE = 512  # pixels, of what is kept
MAX_SIDE = 4096  # of what is read: 64 MiB when it is unpacked
MAX_SCANS = 100  # of a progressive JPEG, each of which goes over the whole picture
THREADS = 2
MAX_WAITING = 50

_SCAN = b"\xff\xda"


class Pictures:
    """Decodes in few threads: memory is bounded, and all other requests go on."""

    def __init__(self) -> None:
        self._threads = CapacityLimiter(THREADS)

    async def shrink(self, content: bytes, media_type: str) -> bytes:
        """Return a picture as a WebP that fits into a square, upright and bare.

        Raises `ValidationFailed` for what is no whole picture of this media type or
        too large a one.
        """
        if self._threads.statistics().tasks_waiting >= MAX_WAITING:
            raise Unavailable("Too many people send pictures now.")
        return await to_thread.run_sync(
            _shrink, content, FORMATS[media_type], limiter=self._threads
        )


def _shrink(content: bytes, kind: str) -> bytes:
    if kind == "JPEG" and content.count(_SCAN) > MAX_SCANS:
        raise _refused("picture_size", "The picture has too many scans.")
    try:
        return _redraw(content, kind)
    except ValidationFailed:
        raise
    except Exception:  # noqa: BLE001 - decoders raise anything, and none of it is ours
        raise _refused("picture", "This is no whole picture of its type.") from None


def _redraw(content: bytes, kind: str) -> bytes:
    from PIL import Image, ImageOps  # noqa: PLC0415 - slow to import, here in a thread

    with Image.open(BytesIO(content), formats=(kind,)) as image:
        if max(image.size) > MAX_SIDE:  # known before a pixel is unpacked
            detail = f"A picture has at most {MAX_SIDE} pixels on a side."
            raise _refused("picture_size", detail)
        image.draft("RGB", (SIDE, SIDE))  # a JPEG can be unpacked to less
        mode = "RGBA" if image.has_transparency_data else "RGB"
        upright = ImageOps.exif_transpose(image.convert(mode))
    upright.thumbnail((SIDE, SIDE))
    bare = Image.new(mode, upright.size)
    bare.paste(upright)
    written = BytesIO()
    bare.save(written, "WEBP")
    return written.getvalue()


def _refused(code: str, detail: str) -> ValidationFailed:
    return ValidationFailed(FieldError("/body", code, detail))
