"""What can be done with the API keys of an organization."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.api_keys import ApiKeyReader, ApiKeyRepository
from app.db.repositories.organizations import OrganizationRepository
from app.errors import LimitReached
from app.models.api_keys import ApiKey, ApiKeyRow, NewApiKeyRow
from app.pagination import Slice
from app.policy import Permission
from app.schemas.api_keys import ApiKeyCreate, ApiKeyQuery
from app.security.api_keys import ApiKeys, NewKey
from app.services.actor import Actor

MAX_KEYS = 100


@dataclass(frozen=True, slots=True)
class ApiKeyService:
    """The use cases of keys: people make and revoke them, in person.

    So no key, and nobody who acts as a user for a while, leaves keys behind; and a key
    that was stolen cannot revoke those of others.
    """

    session: AsyncSession
    reader: ApiKeyReader
    keys: ApiKeys
    actor: Actor

    async def page(self, query: ApiKeyQuery) -> Slice[ApiKeyRow]:
        self.actor.require(Permission.API_KEYS_READ)
        return await self.reader.page(query.request())

    async def create(self, new: ApiKeyCreate) -> NewApiKeyRow:
        """Make a key; raise `Forbidden` for a scope that the creator has not.

        Raises `LimitReached` if there are many: they go with a member, all at once.
        """
        self.actor.require(Permission.API_KEYS_WRITE)
        user = self.actor.require_oneself()
        for scope in new.scopes:
            self.actor.require(scope)
        await self._hold()
        if await self._keys().count() >= MAX_KEYS:
            raise LimitReached(f"An organization has at most {MAX_KEYS} keys.")
        made = self.keys.make()
        key = ApiKey(
            organization_id=self.actor.organization_id,
            created_by=user.id,
            name=new.name,
            prefix=made.prefix,
            last_four=made.last_four,
            key_hash=made.hash,
            scopes=[*new.scopes],
            expires_at=new.expires_at,
        )
        return _as_shown_once(await self._keys().add(key), made)

    async def revoke(self, id: UUID) -> None:
        """Revoke a key, whoever has made it, after what it writes at the moment."""
        self.actor.require(Permission.API_KEYS_WRITE)
        self.actor.require_oneself()
        await self._hold()
        keys = self._keys()
        await keys.remove(await keys.lock(id))

    async def _hold(self) -> None:
        """Go in line with who removes members, and their keys; make sure of the actor.

        Else who is removed by a key, and revokes it, would wait in a circle.
        """
        within = self.actor.organization_id
        await OrganizationRepository(self.session, within).hold()
        await self.actor.confirm(self.session)

    def _keys(self) -> ApiKeyRepository:
        return ApiKeyRepository(self.session, self.actor.organization_id)


def _as_shown_once(key: ApiKey, made: NewKey) -> NewApiKeyRow:
    return NewApiKeyRow(
        id=key.id,
        name=key.name,
        prefix=key.prefix,
        last_four=key.last_four,
        scopes=key.scopes,
        expires_at=key.expires_at,
        last_used_at=key.last_used_at,
        created_at=key.created_at,
        key=made.text,
    )
