"""Who acts, and what they may do: the first statement of each use case asks here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.sessions import SessionRepository
from app.errors import Forbidden, NotFound, Unauthorized
from app.models.users import SignedInUser

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Actor:
    """The authenticated user."""

    user: SignedInUser

    def require_user(self) -> SignedInUser:
        """Allow what anybody may do with their own account."""
        return self.user

    def require_access_to(self, user_id: UUID) -> None:
        """Allow oneself and superusers; to others the account does not exist."""
        if user_id != self.user.id and not self.user.is_superuser:
            raise NotFound("No user has this id.")

    def require_superuser(self) -> None:
        """Allow who may see to everything."""
        if not self.user.is_superuser:
            raise Forbidden("Only a superuser may do this.")

    async def confirm(self, session: AsyncSession) -> None:
        """Make sure that the caller may still act, up to the end of the transaction.

        Who they are was read before, and may have ended since: whoever takes a session
        or a right away waits for this transaction, or this one fails. Every use case
        that writes asks, after what takes long and before its first change. It locks
        rows of users before, in one statement, and those of sessions after: so nobody
        waits in a circle.

        Raises `Unauthorized`.
        """
        if not await SessionRepository(session).hold(self.user):
            raise Unauthorized


@dataclass(frozen=True, slots=True)
class Client:
    """The program at the other end of the connection."""

    address: str | None
    """None where there is none, as on a Unix socket."""
    user_agent: str


def public(reason: str) -> Callable[[F], F]:
    """Mark a use case that needs no permission, and say why."""
    assert reason

    def mark(use_case: F) -> F:
        return use_case

    return mark
