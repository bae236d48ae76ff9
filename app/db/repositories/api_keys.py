"""Queries about API keys."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, func, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY

from app.db.lists import Listing
from app.db.reader import Query, Reader
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import of_organization
from app.events.organizations import API_KEY_CREATED, API_KEY_REVOKED
from app.models.api_keys import ApiKey, ApiKeyRow, SignedInKey
from app.pagination import PageRequest, Slice

STALE_AFTER = timedelta(minutes=1)

_found = func.api_key_of(bindparam("hashes", type_=ARRAY(LargeBinary()))).table_valued(
    "id",
    "organization_id",
    "name",
    "scopes",
    "created_by",
    "role",
    "is_use_stale",
    "is_hash_old",
)
_is_stale = func.coalesce(ApiKey.last_used_at < func.now() - STALE_AFTER, true())
KEY_BY_HASH = Query(select(*_found.c), SignedInKey)
API_KEYS = Listing(
    "api_keys",
    select(
        ApiKey.id,
        ApiKey.name,
        ApiKey.prefix,
        ApiKey.last_four,
        ApiKey.scopes,
        ApiKey.expires_at,
        ApiKey.last_used_at,
        ApiKey.created_at,
    ).where(of_organization(ApiKey.organization_id)),
    ApiKeyRow,
    key=ApiKey.id,
    sorts={"created_at": ApiKey.created_at, "name": ApiKey.name},
    context=["organization_id"],
)


class PresentedKeyReader:
    """Looks up who presents a key, which is not known to be anybody's before."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def signed_in_key(self, hashes: Sequence[bytes]) -> SignedInKey | None:
        """Return the key that is stored as one of these hashes, if it is good now.

        The first hash is the one that it should be stored as.
        """
        return await self._reader.one(KEY_BY_HASH, hashes=list(hashes))


class ApiKeyReader:
    """Hot reads of the keys of one organization."""

    def __init__(self, reader: Reader, organization_id: UUID) -> None:
        self._reader = reader
        self._organization_id = organization_id

    async def page(self, request: PageRequest) -> Slice[ApiKeyRow]:
        return await API_KEYS.page(
            self._reader, request, organization_id=self._organization_id
        )


class ApiKeyRepository(ScopedRepository[ApiKey]):
    """The keys of one organization."""

    model = ApiKey
    noun = "API key"
    added, removed = API_KEY_CREATED, API_KEY_REVOKED

    async def count(self) -> int:
        """Count them; the organization is held, so that nobody makes another one."""
        counted = select(func.count()).select_from(ApiKey).where(self.is_own())
        return await self._session.scalar(counted) or 0

    async def revoke_all_of(self, user_id: UUID) -> None:
        """Revoke what somebody has created, who leaves."""
        for key in await self._session.scalars(
            self.own().where(ApiKey.created_by == user_id).order_by(ApiKey.id)
        ):
            await self.remove(key)

    async def touch(self, id: UUID, *, key_hash: bytes | None = None) -> None:
        """Note that a key is used now, unless that was noted a moment ago.

        With ``key_hash``, it is stored as that from now on.
        """
        noted: dict[str, Any] = {"last_used_at": func.now()}
        if key_hash is not None:
            noted["key_hash"] = key_hash
        free = (
            select(ApiKey.id)
            .where(self.is_own(), ApiKey.id == id)
            .where(_is_stale)
            # A unique column changes under the strong lock only, which what the key
            # writes at the moment keeps off: then the next use is noted.
            .with_for_update(key_share=key_hash is None, skip_locked=True)
        )
        await self._session.execute(
            update(ApiKey).where(ApiKey.id.in_(free)).values(noted)
        )
