"""Queries about devices."""

from uuid import UUID

from sqlalchemy import delete, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import insert

from app.db.repositories.base import Repository
from app.models.devices import UserDevice


class DeviceRepository(Repository[UserDevice]):
    """Devices of all users."""

    model = UserDevice

    async def see(self, user_id: UUID, device: str) -> bool:
        """Note a sign-in; tell whether the user has others and never had this one."""
        others = exists().where(
            UserDevice.user_id == user_id, UserDevice.device != device
        )
        seen = (
            insert(UserDevice)
            .values(user_id=user_id, device=device)
            .on_conflict_do_update(
                index_elements=[UserDevice.user_id, UserDevice.device],
                set_={"last_seen_at": func.now()},
            )
            # A row that was there before is locked by this transaction, a new one not.
            .returning(literal_column("xmax = 0").label("is_new"))
            .cte("seen")
        )
        is_news = select(seen.c.is_new & others)
        return bool(await self._session.scalar(is_news))

    async def forget_all_of(self, user_id: UUID) -> None:
        await self._session.execute(
            delete(UserDevice).where(UserDevice.user_id == user_id)
        )
