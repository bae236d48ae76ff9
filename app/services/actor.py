"""Who acts, and what they may do: the first statement of each use case asks here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from app.errors import NotFound
from app.models.users import UserRow

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Actor:
    """The authenticated user."""

    user: UserRow

    def require_user(self) -> UserRow:
        """Allow what anybody may do with their own account."""
        return self.user

    def require_access_to(self, user_id: UUID) -> None:
        """Allow oneself and superusers; to others the account does not exist."""
        if user_id != self.user.id and not self.user.is_superuser:
            raise NotFound("No user has this id.")


def public(reason: str) -> Callable[[F], F]:
    """Mark a use case that needs no permission, and say why."""
    assert reason

    def mark(use_case: F) -> F:
        return use_case

    return mark
