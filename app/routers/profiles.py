"""The API of one's profile and avatar."""

from http import HTTPStatus

from fastapi import Response

from app.dependencies import (
    Avatars,
    IfMatchHeader,
    PictureBody,
    Profiles,
    Revalidated,
    Tagged,
)
from app.errors import NotFound
from app.schemas.profiles import ProfileResponse, ProfileUpdate
from app.services.profiles import Profile
from app.web.openapi import responses
from app.web.pictures import AVATAR_PATH, PICTURE_BODY, PictureResponse
from app.web.routing import Router

router = Router(tags=["users"])


@router.get("/users/me/profile", response_model=ProfileResponse)
async def get_profile(profiles: Profiles, revalidated: Revalidated) -> Profile:
    """Get one's profile: the defaults, before the first change."""
    return revalidated(await profiles.get())


@router.patch("/users/me/profile", response_model=ProfileResponse)
async def update_profile(
    profiles: Profiles, patch: ProfileUpdate, match: IfMatchHeader, tagged: Tagged
) -> Profile:
    """Change the fields that are sent."""
    return tagged(await profiles.update(patch, match))


@router.get(AVATAR_PATH, response_class=PictureResponse, responses=responses(NotFound))
async def get_avatar(
    avatars: Avatars, revalidated: Revalidated, response: Response
) -> PictureResponse:
    """Get one's avatar."""
    return PictureResponse(
        await avatars.read(revalidated(await avatars.current())),
        headers={**response.headers},
    )


@router.put(AVATAR_PATH, status_code=HTTPStatus.NO_CONTENT, openapi_extra=PICTURE_BODY)
async def put_avatar(
    avatars: Avatars, picture: PictureBody, match: IfMatchHeader
) -> None:
    """Set one's avatar: a picture of up to 1 MiB and 4096 x 4096 pixels.

    It is kept as a WebP of up to 512 x 512, without its metadata.
    """
    await avatars.put(picture.content, picture.media_type, match)


@router.delete(AVATAR_PATH, status_code=HTTPStatus.NO_CONTENT)
async def delete_avatar(avatars: Avatars, match: IfMatchHeader) -> None:
    """Remove one's avatar, if there is one."""
    await avatars.remove(match)
