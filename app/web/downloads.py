"""Files that are written while they are sent."""

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse


class CSVResponse(StreamingResponse):
    """Sends pieces of a table as they come, which need not fit into memory.

    The transaction of the request is over by then: who writes the pieces reads alone.
    """

    media_type: str | None = "text/csv"

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        *,
        filename: str,
        status_code: int = 200,  # which OpenAPI is told here
    ) -> None:
        disposition = f'attachment; filename="{filename}"'
        headers = {"Content-Disposition": disposition}
        super().__init__(pieces, status_code, headers)
