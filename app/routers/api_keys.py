"""The API keys API."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import Keys, Located
from app.errors import Forbidden, LimitReached, UserRequired
from app.models.api_keys import ApiKeyRow, NewApiKeyRow
from app.pagination import Slice
from app.schemas.api_keys import (
    ApiKeyCreate,
    ApiKeyQuery,
    ApiKeyResponse,
    NewApiKeyResponse,
)
from app.schemas.base import Page
from app.web.openapi import responses
from app.web.routing import Router

router = Router(
    prefix="/organizations/{organization_id:uuid}/api-keys", tags=["api-keys"]
)


@router.get("", response_model=Page[ApiKeyResponse], responses=responses(Forbidden))
async def get_api_keys(
    keys: Keys, query: Annotated[ApiKeyQuery, Query()]
) -> Slice[ApiKeyRow]:
    """List the API keys of an organization, those that have expired, too."""
    return await keys.page(query)


@router.post(
    "",
    response_model=NewApiKeyResponse,
    status_code=HTTPStatus.CREATED,
    responses=responses(Forbidden, UserRequired, LimitReached),
)
async def create_api_key(
    keys: Keys, organization_id: UUID, new: ApiKeyCreate, located: Located
) -> NewApiKeyRow:
    """Make an API key, which this answer alone shows.

    It can do what its scopes say, as long as its creator can: it ends with their
    membership, and sleeps while their account is switched off.
    """
    return located(
        await keys.create(new), below=f"/organizations/{organization_id}/api-keys"
    )


@router.delete(
    "/{api_key_id:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(Forbidden, UserRequired),
)
async def revoke_api_key(keys: Keys, api_key_id: UUID) -> None:
    """Revoke an API key, whoever has made it: nothing that it is used for goes on."""
    await keys.revoke(api_key_id)
