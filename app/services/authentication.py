"""Who sends a request: a token's user, or an API key, while they last."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from app.db.errors import DATABASE_ERRORS
from app.db.repositories.api_keys import ApiKeyRepository, PresentedKeyReader
from app.db.repositories.sessions import SessionReader, SessionRepository
from app.db.tenancy import enter
from app.errors import Unauthorized, Unavailable
from app.models.api_keys import SignedInKey
from app.models.users import SignedInMember, SignedInUser
from app.security.api_keys import ApiKeys
from app.security.tokens import AccessTokens
from app.services.actor import no_key

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Authentication:
    """Lets in whoever has credentials that are good now.

    It takes one statement, and once a minute another one that notes the use.
    """

    tokens: AccessTokens
    api_keys: ApiKeys
    reader: SessionReader
    keys: PresentedKeyReader
    sessions: async_sessionmaker[AsyncSession]

    async def user_of(self, token: str, *, address: str | None) -> SignedInUser:
        """Return the token's user; raise `Unauthorized` if anything of it has ended."""
        claims = self.tokens.verify(token)
        user = await self.reader.signed_in_user(
            user_id=claims.user_id, session_id=claims.session_id
        )
        if user is None:
            raise Unauthorized
        await self._note_session(user, address)
        return user

    async def member_of(
        self, token: str, organization_id: UUID, *, address: str | None
    ) -> SignedInMember:
        """Return the same, with the role in an organization; None who has none."""
        claims = self.tokens.verify(token)
        member = await self.reader.signed_in_member(
            user_id=claims.user_id,
            session_id=claims.session_id,
            organization_id=organization_id,
        )
        if member is None:
            raise Unauthorized
        await self._note_session(member, address)
        return member

    async def key_of(self, text: str) -> SignedInKey:
        """Return the key that is presented; raise `Unauthorized` if it is not good."""
        hashes = self.api_keys.hashes(text)
        if hashes is None:
            raise no_key()
        key = await self.keys.signed_in_key(hashes)
        if key is None:
            raise no_key()
        if key.is_use_stale:
            # Stored under the newest secret, it outlives the one before.
            key_hash = hashes[0] if key.is_hash_old else None
            await self._note(lambda session: _touch_key(session, key, key_hash))
        return key

    async def _note_session(self, user: SignedInUser, address: str | None) -> None:
        if user.is_session_stale:
            id_ = user.session_id
            await self._note(lambda s: SessionRepository(s).touch(id_, ip=address))

    async def _note(self, note: Callable[[AsyncSession], Awaitable[None]]) -> None:
        """Note a use in a transaction of its own; no request fails if that does."""
        try:
            async with self.sessions.begin() as session:
                await note(session)
        except (Unavailable, *DATABASE_ERRORS) as error:
            _log.debug("a use is not noted", error=type(error).__name__)


async def _touch_key(
    session: AsyncSession, key: SignedInKey, key_hash: bytes | None
) -> None:
    await enter(session, organization_id=key.organization_id)
    keys = ApiKeyRepository(session, key.organization_id)
    await keys.touch(key.id, key_hash=key_hash)
