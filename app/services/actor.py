"""Who acts, and what they may do: the first statement of each use case asks here."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.holds import hold_key, hold_member
from app.db.repositories.sessions import SessionRepository
from app.errors import Forbidden, NotFound, Unauthorized, UserRequired
from app.models.api_keys import SignedInKey
from app.models.users import SignedInUser
from app.policy import Permission, Role

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Place:
    """An organization, and what the actor is in it; a key is what its creator is."""

    organization_id: UUID
    role: Role
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Actor:
    """An authenticated user or API key; inside an organization, or nowhere special."""

    caller: SignedInUser | SignedInKey
    place: Place | None = None

    @property
    def organization_id(self) -> UUID:
        """The organization that the use case is about."""
        assert self.place is not None
        return self.place.organization_id

    @property
    def role(self) -> Role:
        assert self.place is not None
        return self.place.role

    @property
    def user_id(self) -> UUID | None:
        """The user who acts; None if it is a key."""
        return self.caller.id if isinstance(self.caller, SignedInUser) else None

    def require(self, permission: Permission) -> None:
        """Allow what the role of a member, or the scopes of a key, allow."""
        if self.place is None or permission not in self.place.permissions:
            raise Forbidden(f"This needs the permission {permission}.")

    def require_no_less_than(self, role: Role) -> None:
        """Allow what takes nothing from anybody, by whoever is of at least this role.

        A key is what its creator is.
        """
        if role.rank > self.role.rank:
            raise Forbidden(f"It takes another {role} to do this.")

    def require_rank_of(self, role: Role) -> None:
        """Allow what changes somebody of a role up to one's own; an owner in person."""
        self.require_no_less_than(role)
        if role == Role.OWNER:
            self.require_oneself()

    def require_grant_of(self, role: Role) -> None:
        """Allow to give a role whose permissions one has; a key has its scopes only."""
        self.require_rank_of(role)
        assert self.place is not None
        lacking = ", ".join(sorted(role.permissions - self.place.permissions))
        if lacking:
            raise Forbidden(
                f"Nobody gives more than they have: the role {role} includes {lacking}."
            )

    def require_self_or(self, user_id: UUID, permission: Permission) -> None:
        """Allow the same, and what is about oneself."""
        if user_id != self.user_id:
            self.require(permission)

    def require_user(self) -> SignedInUser:
        """Allow what anybody may do with their own account."""
        if isinstance(self.caller, SignedInKey):
            raise UserRequired("An API key may not do this: sign in.")
        return self.caller

    def require_in_person(self) -> None:
        """Refuse a superuser who acts as the user for a while."""
        caller = self.caller
        if isinstance(caller, SignedInUser) and caller.impersonator_id is not None:
            raise Forbidden("Only the user in person may do this.")

    def require_oneself(self) -> SignedInUser:
        """Allow what only the user in person may do, and no key of theirs."""
        user = self.require_user()
        self.require_in_person()
        return user

    def require_access_to(self, user_id: UUID) -> None:
        """Allow oneself and superusers; to others the account does not exist."""
        user = self.require_user()
        if user_id != user.id and not user.is_superuser:
            raise NotFound("No user has this id.")

    def require_superuser(self) -> None:
        """Allow who may see to everything."""
        if not self.require_user().is_superuser:
            raise Forbidden("Only a superuser may do this.")

    async def confirm(self, session: AsyncSession) -> None:
        """Make sure that the caller may still act, up to the end of the transaction.

        Who they are was read before, and may have ended since: whoever takes a session,
        a key or a right away waits for this transaction, or this one fails. Every use
        case that writes asks, after what takes long and before its first change. It
        locks rows of users and of the organization before, and those of sessions,
        memberships and others after: so nobody waits in a circle.

        Raises `Unauthorized`, or `NotFound` if they are in the organization no more.
        """
        if self.place is not None:
            await self._confirm_place(session, self.place)
        elif not await SessionRepository(session).hold(self.require_user()):
            raise Unauthorized

    async def _confirm_place(self, session: AsyncSession, place: Place) -> None:
        within = place.organization_id
        if isinstance(self.caller, SignedInKey):
            role = await hold_key(
                session,
                key_id=self.caller.id,
                created_by=self.caller.created_by,
                organization_id=within,
            )
            if role is None:
                raise no_key()
        else:
            role = await hold_member(
                session,
                user_id=self.caller.id,
                session_id=self.caller.session_id,
                organization_id=within,
            )
            if role is None:
                if not await SessionRepository(session).hold(self.caller):
                    raise Unauthorized
                raise no_organization()
        if role != place.role:
            raise Forbidden("Your role has changed meanwhile: try again.")


@dataclass(frozen=True, slots=True)
class Client:
    """The program at the other end of the connection."""

    address: str | None
    """None where there is none, as on a Unix socket."""
    user_agent: str


def no_organization() -> NotFound:
    """Answer who is no member exactly as if there were no organization."""
    return NotFound("No organization has this id.")


def no_key() -> Unauthorized:
    """Answer whatever is no good key in the same words."""
    return Unauthorized("A valid API key is needed.")


def public(reason: str) -> Callable[[F], F]:
    """Mark a use case that needs no permission, and say why."""
    assert reason

    def mark(use_case: F) -> F:
        return use_case

    return mark
