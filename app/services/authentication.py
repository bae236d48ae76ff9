"""Who sends a request: a token's user, while they and their session last."""

from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.db.errors import DATABASE_ERRORS
from app.db.repositories.sessions import SessionReader, SessionRepository
from app.errors import Unauthorized, Unavailable
from app.models.users import SignedInUser
from app.security.tokens import AccessTokens

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Authentication:
    """Lets in whoever has an access token of a session that lives."""

    tokens: AccessTokens
    reader: SessionReader
    sessions: async_sessionmaker[AsyncSession]

    async def user_of(self, token: str, *, address: str | None) -> SignedInUser:
        """Return the token's user; raise `Unauthorized` if anything of it has ended.

        It takes one statement, and once a minute another one that notes the use.
        """
        claims = self.tokens.verify(token)
        user = await self.reader.signed_in_user(
            user_id=claims.user_id, session_id=claims.session_id
        )
        if user is None:
            raise Unauthorized
        if user.is_session_stale:
            await self._note_use(user, address)
        return user

    async def _note_use(self, user: SignedInUser, address: str | None) -> None:
        """Note the use in a transaction of its own; no request fails if that does."""
        try:
            async with self.sessions.begin() as session:
                await SessionRepository(session).touch(user.session_id, ip=address)
        except (Unavailable, *DATABASE_ERRORS) as error:
            _log.debug("the use of a session is not noted", error=type(error).__name__)
