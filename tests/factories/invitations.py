"""Invitations."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI

from app.db.tenancy import enter
from app.models.base import new_id, utc_now
from app.models.invitations import Invitation, InvitationStatus
from app.policy import Role
from tests.factories.organizations import Tenant
from tests.factories.users import new_email


@dataclass(frozen=True)
class Invited:
    """An invitation, and what its mail would show."""

    row: Invitation
    token: str

    @property
    def body(self) -> dict[str, str]:
        return {"token": self.token}


async def invitation(
    app: FastAPI, of: Tenant, email: str | None = None, **given: Any
) -> Invited:
    """Store an invitation that is good for an hour, to nobody in particular."""
    tokens, token_id = app.state.resources.email_tokens, new_id()
    defaults = {
        "email": email or new_email(),
        "role": Role.MEMBER,
        "status": InvitationStatus.PENDING,
        "invited_by": of.owner.user.id,
        "expires_at": utc_now() + timedelta(hours=1),
    }
    row = Invitation(
        organization_id=of.id,
        token_id=token_id,
        token_hash=tokens.make(token_id),
        **{**defaults, **given},
    )
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add(row)
    return Invited(row, tokens.text(token_id, hash=row.token_hash))


def an_hour_ago() -> dict[str, Any]:
    """What makes an invitation expired."""
    return {"expires_at": utc_now() - timedelta(hours=1)}
