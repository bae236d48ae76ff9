"""The users API."""

from uuid import UUID

from app.dependencies import CurrentUser, Users
from app.models.users import User, UserRow
from app.schemas.users import UserResponse, UserUpdate
from app.web.routing import Router

router = Router(prefix="/users", tags=["users"])


@router.get("/me", response_model=UserResponse)
async def get_own_user(user: CurrentUser) -> UserRow:
    """Get one's own account."""
    return user


@router.patch("/me", response_model=UserResponse)
async def update_own_user(users: Users, patch: UserUpdate) -> User:
    """Change the fields that are sent."""
    return await users.update_own(patch)


@router.get("/{user_id}", response_model=UserResponse)
async def get_user(users: Users, user_id: UUID) -> UserRow:
    """Get an account: one's own; a superuser may get any."""
    return await users.get(user_id)
