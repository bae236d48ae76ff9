"""What can be done with one's sessions."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.sessions import SessionReader, SessionRepository
from app.db.repositories.users import UserRepository
from app.models.sessions import SessionRow
from app.models.users import SignedInUser
from app.pagination import Slice
from app.schemas.sessions import SessionQuery
from app.services.actor import Actor


@dataclass(frozen=True, slots=True)
class SessionService:
    """The use cases of somebody who is signed in, perhaps on several devices."""

    session: AsyncSession
    reader: SessionReader
    actor: Actor

    async def page(self, query: SessionQuery) -> Slice[SessionRow]:
        user = self.actor.require_user()
        return await self.reader.page(
            query.request(), user_id=user.id, current_id=user.session_id
        )

    async def end(self, id: UUID) -> None:
        """End one of one's sessions; its tokens are refused from now on."""
        user = self.actor.require_oneself()
        await self._hold(user)
        await SessionRepository(self.session).end(id, user_id=user.id)

    async def end_current(self) -> None:
        """Sign out; a superuser acts as nobody else any more."""
        user = self.actor.require_user()
        sessions = SessionRepository(self.session)
        await sessions.discard(user.session_id)
        if user.is_superuser:
            await sessions.end_impersonations_by(user.id)

    async def end_others(self) -> None:
        """Sign out everywhere else."""
        user = self.actor.require_oneself()
        await self._hold(user)
        await SessionRepository(self.session).end_all_of(user.id, but=user.session_id)

    async def _hold(self, user: SignedInUser) -> None:
        """Let who ends sessions of one user go in line, while their own lasts."""
        await UserRepository(self.session).hold(user.id)
        await self.actor.confirm(self.session)
