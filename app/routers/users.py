"""The users API."""

from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import Query

from app.dependencies import (
    CurrentUser,
    IfMatchHeader,
    Located,
    Revalidated,
    SuperusersOnly,
    Tagged,
    Users,
)
from app.errors import EmailTaken, Forbidden, LastOwner, LastSuperuser
from app.models.users import User, UserRow
from app.pagination import Slice
from app.schemas.base import Page
from app.schemas.users import (
    OwnUserUpdate,
    UserCreate,
    UserQuery,
    UserResponse,
    UserUpdate,
)
from app.web.openapi import responses
from app.web.routing import Router

router = Router(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserResponse)
async def get_own_user(user: CurrentUser, revalidated: Revalidated) -> UserRow:
    """Get one's own account."""
    return revalidated(user)


@router.patch("/me", response_model=UserResponse)
async def update_own_user(
    users: Users, patch: OwnUserUpdate, match: IfMatchHeader, tagged: Tagged
) -> User:
    """Change the fields that are sent."""
    return tagged(await users.update_own(patch, match))


@router.get(
    "",
    response_model=Page[UserResponse],
    dependencies=[SuperusersOnly],
    responses=responses(Forbidden),
)
async def get_users(
    users: Users, query: Annotated[UserQuery, Query()]
) -> Slice[UserRow]:
    """List all accounts; for superusers."""
    return await users.page(query)


@router.post(
    "",
    response_model=UserResponse,
    status_code=HTTPStatus.CREATED,
    dependencies=[SuperusersOnly],
    responses=responses(Forbidden, EmailTaken),
)
async def create_user(
    users: Users, located: Located, tagged: Tagged, new: UserCreate
) -> User:
    """Create an account for somebody; for superusers."""
    return tagged(located(await users.create(new), below="/users"))


@router.get("/{user_id:uuid}", response_model=UserResponse)
async def get_user(users: Users, user_id: UUID, revalidated: Revalidated) -> UserRow:
    """Get an account: one's own; a superuser may get any."""
    return revalidated(await users.get(user_id))


@router.patch(
    "/{user_id:uuid}",
    response_model=UserResponse,
    responses=responses(Forbidden, LastSuperuser),
)
async def update_user(
    users: Users,
    user_id: UUID,
    patch: UserUpdate,
    match: IfMatchHeader,
    tagged: Tagged,
) -> User:
    """Change an account; only superusers change others', and what an account may do."""
    return tagged(await users.update(user_id, patch, match))


@router.delete(
    "/{user_id:uuid}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(Forbidden, LastSuperuser, LastOwner),
)
async def delete_user(users: Users, user_id: UUID, match: IfMatchHeader) -> None:
    """Erase an account; for superusers. Others have `/auth/delete-account`."""
    await users.delete(user_id, match)
