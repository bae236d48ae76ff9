"""Queries about API keys."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, func, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.reader import Query, Reader
from app.db.repositories.scoped import ScopedRepository
from app.events.organizations import API_KEY_CREATED, API_KEY_REVOKED
from app.models.api_keys import ApiKey, SignedInKey

_found = func.api_key_of(bindparam("hashes", type_=ARRAY(LargeBinary()))).table_valued(
    "id", "organization_id", "name", "scopes", "created_by", "role", "is_use_stale"
)
STALE_AFTER = timedelta(minutes=1)
_is_stale = func.coalesce(ApiKey.last_used_at < func.now() - STALE_AFTER, true())
KEY_BY_HASH = Query(select(*_found.c), SignedInKey)


class ApiKeyReader:
    """Looks up who presents a key, which is not known to be anybody's before."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def signed_in_key(self, hashes: Sequence[bytes]) -> SignedInKey | None:
        """Return the key that is stored as one of these hashes, if it is good now."""
        return await self._reader.one(KEY_BY_HASH, hashes=list(hashes))


class ApiKeyRepository(ScopedRepository[ApiKey]):
    """The keys of one organization."""

    model = ApiKey
    noun = "API key"
    added, removed = API_KEY_CREATED, API_KEY_REVOKED

    async def revoke_all_of(self, user_id: UUID) -> None:
        """Revoke what somebody has created, who leaves."""
        for key in await self._session.scalars(
            self.own().where(ApiKey.created_by == user_id).order_by(ApiKey.id)
        ):
            await self.remove(key)

    async def touch(self, id: UUID) -> None:
        """Note that a key is used now, unless that was noted a moment ago."""
        free = (
            select(ApiKey.id)
            .where(self.is_own(), ApiKey.id == id)
            .where(_is_stale)
            .with_for_update(key_share=True, skip_locked=True)
        )
        await self._session.execute(
            update(ApiKey).where(ApiKey.id.in_(free)).values(last_used_at=func.now())
        )
