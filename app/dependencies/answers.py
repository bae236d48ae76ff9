"""What a request's headers ask for, and an answer's headers tell."""

from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.dependencies.caller import CurrentUser
from app.dependencies.database import SharedResources
from app.preconditions import IfMatch, Versioned, etag, is_known
from app.resources import Resources
from app.schemas.auth import PasswordGrant, RefreshTokenGrant
from app.web.forms import read_grant
from app.web.handlers import NotModified
from app.web.pictures import Upload, read_picture


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


R = TypeVar("R", bound=HasId)
V = TypeVar("V", bound=Versioned)


class Created:
    """Tells in the ``Location`` header where a new resource is."""

    def __init__(self, response: Response, resources: Resources) -> None:
        self._headers = response.headers
        self._root = resources.settings.API_V1_STR

    def __call__(self, row: R, *, below: str) -> R:
        self._headers["Location"] = f"{self._root}{below}/{row.id}"
        return row


class Tag:
    """Writes the ``ETag`` of a resource; answers 304 to who has it already."""

    def __init__(self, response: Response, if_none_match: str | None = None) -> None:
        self._headers = response.headers
        self._if_none_match = if_none_match

    def __call__(self, row: V) -> V:
        headers = {
            "ETag": etag(row),
            "Cache-Control": "private, no-cache",
            "Vary": "Authorization, X-API-Key",
        }
        if self._if_none_match is not None and is_known(self._if_none_match, row):
            raise NotModified(headers)
        self._headers.update(headers)
        return row


async def get_created(response: Response, resources: SharedResources) -> Created:
    return Created(response, resources)


async def get_tag(response: Response) -> Tag:
    return Tag(response)


async def get_conditional_tag(
    request: Request,
    response: Response,
    _: Annotated[
        str,
        Header(
            alias="If-None-Match",
            description="The ETag of what the client has: 304 if that is still so.",
        ),
    ] = "",
) -> Tag:
    return Tag(response, _joined(request, "if-none-match"))


async def get_if_match(
    request: Request,
    _: Annotated[
        str,
        Header(
            alias="If-Match",
            description="The ETag of what is to be changed: 412 if it has changed.",
        ),
    ] = "",
) -> IfMatch:
    return IfMatch(_joined(request, "if-match"))


async def get_picture(request: Request, _: CurrentUser) -> Upload:
    """Read a picture, of somebody who is known."""
    return await read_picture(request)


def _joined(request: Request, name: str) -> str | None:
    """Read a header that may be spread over several lines (RFC 9110, 5.3)."""
    lines = request.headers.getlist(name)
    return ", ".join(lines) if lines else None


Located = Annotated[Created, Depends(get_created)]
Tagged = Annotated[Tag, Depends(get_tag)]
Revalidated = Annotated[Tag, Depends(get_conditional_tag)]
IfMatchHeader = Annotated[IfMatch, Depends(get_if_match)]
GrantForm = Annotated[PasswordGrant | RefreshTokenGrant, Depends(read_grant)]
PictureBody = Annotated[Upload, Depends(get_picture)]
