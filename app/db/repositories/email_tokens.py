"""Queries about tokens of links in mails."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, func, select

from app.db.reader import Query, Reader
from app.db.repositories.base import Repository
from app.models.email_tokens import EmailToken, EmailTokenRow, Purpose
from app.models.users import User

_is_good = EmailToken.expires_at > func.now()


def _good_tokens() -> Select[UUID, UUID, str, str, bytes, str, str]:
    """Select tokens that are good: not expired, and of somebody who may sign in."""
    return (
        select(
            EmailToken.id,
            EmailToken.user_id,
            EmailToken.purpose,
            EmailToken.email,
            EmailToken.token_hash,
            User.email.label("user_email"),
            User.full_name.label("user_full_name"),
        )
        .join(User, User.id == EmailToken.user_id)
        .where(_is_good, User.is_active)
    )


TOKEN_BY_ID = Query(
    _good_tokens().where(EmailToken.id == bindparam("id")), EmailTokenRow
)
TOKEN_BY_HASH = Query(
    _good_tokens().where(EmailToken.token_hash == bindparam("hash")), EmailTokenRow
)


class EmailTokenReader:
    """Reads of tokens that are good."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def by_id(self, id: UUID) -> EmailTokenRow | None:
        return await self._reader.one(TOKEN_BY_ID, id=id)

    async def by_hash(self, hash: bytes) -> EmailTokenRow | None:
        return await self._reader.one(TOKEN_BY_HASH, hash=hash)


class EmailTokenRepository(Repository[EmailToken]):
    """Tokens of users that are locked: who changes them goes in line."""

    model = EmailToken

    async def replace(self, token: EmailToken) -> None:
        """Store a token; the user's older one of its kind is void."""
        await self.void(token.user_id, {Purpose(token.purpose)})
        await self.add(token)

    async def use(self, found: EmailTokenRow) -> bool:
        """Take a token away; tell whether it was still there, and good."""
        used = await self._session.scalar(
            delete(EmailToken)
            .where(EmailToken.id == found.id)
            .where(EmailToken.expires_at > func.clock_timestamp())
            .returning(EmailToken.id)
        )
        return used is not None

    async def void(
        self, user_id: UUID, purposes: Collection[Purpose] = tuple(Purpose)
    ) -> None:
        """Take a user's tokens away: all, or those of some kinds."""
        await self._session.execute(
            delete(EmailToken)
            .where(EmailToken.user_id == user_id)
            .where(EmailToken.purpose.in_(purposes))
        )
