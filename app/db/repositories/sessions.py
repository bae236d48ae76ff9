"""Queries about sessions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CursorResult,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.db.repositories.base import Repository
from app.db.repositories.users import user_columns
from app.db.tenancy import of_organization
from app.errors import NotFound
from app.models.organizations import Membership, Organization
from app.models.sessions import SessionRow, UserSession
from app.models.users import SignedInMember, SignedInUser, User
from app.pagination import PageRequest, Slice

STALE_AFTER = timedelta(minutes=1)
IMPERSONATION = timedelta(minutes=15)
"""How long a superuser acts as somebody else; then it takes another beginning."""

_is_live = UserSession.expires_at > func.now()
_is_stale = UserSession.last_used_at < func.now() - STALE_AFTER


def _signed_in_users() -> Select[*tuple[Any, ...]]:
    """Select an active user whose session lives, and its impersonator has the right.

    It is a right over those who have less: whoever has become a superuser meanwhile
    is acted as no more.
    """
    impersonator = aliased(User)
    may_still = (
        select(and_(impersonator.is_active, impersonator.is_superuser))
        .where(impersonator.id == UserSession.impersonator_id)
        .scalar_subquery()
    )
    return (
        user_columns()
        .add_columns(
            UserSession.id.label("session_id"),
            UserSession.impersonator_id,
            _is_stale.label("is_session_stale"),
        )
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id == bindparam("session_id"))
        .where(User.id == bindparam("user_id"))
        .where(User.is_active, _is_live)
        .where(
            or_(
                UserSession.impersonator_id.is_(None),
                and_(may_still, User.is_superuser.is_(False)),
            )
        )
    )


SIGNED_IN_USER = Query(_signed_in_users(), SignedInUser)
SIGNED_IN_MEMBER = Query(
    _signed_in_users()
    .outerjoin(
        Membership,
        and_(Membership.user_id == User.id, of_organization(Membership.organization_id))
        & exists().where(
            Organization.id == Membership.organization_id,
            Organization.deleted_at.is_(None),
        ),
    )
    .add_columns(Membership.role),
    SignedInMember,
    context=["user_id"],
)
SESSIONS_OF_USER = Listing(
    "sessions",
    select(
        UserSession.id,
        UserSession.device,
        # That of support is not the user's business.
        case((UserSession.impersonator_id.is_(None), UserSession.ip)).label("ip"),
        UserSession.created_at,
        UserSession.last_used_at,
        UserSession.expires_at,
        (UserSession.id == bindparam("current_id")).label("current"),
    ).where(UserSession.user_id == bindparam("user_id"), _is_live),
    SessionRow,
    key=UserSession.id,
    sorts={
        "created_at": UserSession.created_at,
        "last_used_at": UserSession.last_used_at,
        "expires_at": UserSession.expires_at,
    },
)


class SessionReader:
    """Hot reads of sessions."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def signed_in_user(
        self, *, user_id: UUID, session_id: UUID
    ) -> SignedInUser | None:
        """Return an active user whose session lives."""
        return await self._reader.one(
            SIGNED_IN_USER, user_id=user_id, session_id=session_id
        )

    async def signed_in_member(
        self, *, user_id: UUID, session_id: UUID, organization_id: UUID
    ) -> SignedInMember | None:
        """Return the same, and what they are in an organization."""
        return await self._reader.one(
            SIGNED_IN_MEMBER,
            user_id=user_id,
            session_id=session_id,
            organization_id=organization_id,
        )

    async def page(
        self, request: PageRequest, *, user_id: UUID, current_id: UUID
    ) -> Slice[SessionRow]:
        return await SESSIONS_OF_USER.page(
            self._reader, request, user_id=user_id, current_id=current_id
        )


@dataclass(frozen=True, slots=True)
class LockedSession:
    """A session that nobody else can change now, and the database's time of day."""

    row: UserSession
    now: datetime

    @property
    def is_live(self) -> bool:
        return self.row.expires_at > self.now


class SessionRepository(Repository[UserSession]):
    """Sessions of all users."""

    model = UserSession

    async def lock_live(self, id: UUID) -> LockedSession | None:
        """Get a session to rotate its token; one's own clock decides nothing."""
        found = await self._session.execute(
            select(UserSession, func.clock_timestamp())
            .join(User, User.id == UserSession.user_id)
            .where(UserSession.id == id, User.is_active)
            .where(UserSession.impersonator_id.is_(None))
            .with_for_update(key_share=True, of=UserSession)
        )
        row = found.one_or_none()
        locked = LockedSession(*row) if row else None
        return locked if locked and locked.is_live else None

    async def hold(self, user: SignedInUser) -> bool:
        """Lock a session against its end, and the rights of who has any.

        Returns whether it lives, and its user has these rights.
        """
        if user.is_superuser:
            # Superusers are few: what one of them writes at once may wait in line.
            still = select(User.id).where(User.id == user.id, User.is_superuser)
            if not await self._session.scalar(still.with_for_update(key_share=True)):
                return False
        # The weakest lock: of all changes, only the end of the session waits for it.
        living = select(UserSession.id).where(
            UserSession.id == user.session_id,
            UserSession.expires_at > func.clock_timestamp(),
        )
        living = living.with_for_update(read=True, key_share=True)
        return await self._session.scalar(living) is not None

    async def touch(self, id: UUID, *, ip: str | None) -> None:
        """Note that a session is used now, unless that was noted a moment ago.

        What locks the session notes it itself, or ends it.
        """
        free = (
            select(UserSession.id)
            .where(UserSession.id == id, _is_stale)
            .with_for_update(key_share=True, skip_locked=True)
        )
        await self._session.execute(
            update(UserSession)
            .where(UserSession.id.in_(free))
            .values(last_used_at=func.now(), ip=ip)
        )

    async def end(self, id: UUID, *, user_id: UUID) -> None:
        """End a session of this user; raise `NotFound` if they have no such one."""
        mine = UserSession.user_id == user_id
        if not await self._delete(UserSession.id == id, mine):
            raise NotFound("No session has this id.")

    async def discard(self, id: UUID) -> None:
        """End a session, if it has not ended already."""
        await self._delete(UserSession.id == id)

    async def end_all_of(self, user_id: UUID, *, but: UUID | None = None) -> None:
        """End all sessions of a user, or all but one; also those as somebody else."""
        others = [UserSession.id != but] if but else []
        await self._delete(UserSession.user_id == user_id, *others)
        await self.end_impersonations_by(user_id)

    async def end_impersonations_by(self, user_id: UUID) -> None:
        """End the sessions in which a superuser acts as somebody else."""
        await self._delete(
            UserSession.impersonator_id == user_id,
            # They last minutes, so this lets the index on the end find them.
            UserSession.expires_at < func.now() + 2 * IMPERSONATION,
        )

    async def _delete(self, *conditions: Any) -> int:
        result = await self._session.execute(delete(UserSession).where(*conditions))
        assert isinstance(result, CursorResult)
        return result.rowcount
