"""Queries about superusers who act as users."""

from typing_extensions import override

from app.db.changes import record_of_system
from app.db.repositories.base import Repository
from app.models.sessions import UserSession

IMPERSONATED = "user.impersonated"


class ImpersonationRepository(Repository[UserSession]):
    """Sessions of superusers as somebody else, whose beginnings are written down."""

    model = UserSession

    @override
    async def add(self, row: UserSession) -> UserSession:
        row = await super().add(row)
        ends = {"from": None, "to": row.expires_at.isoformat()}
        await record_of_system(
            self._session,
            IMPERSONATED,
            target=("user", row.user_id),
            changes={"expires_at": ends},
        )
        return row
