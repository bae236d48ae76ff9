"""What an organization has besides its members."""

from datetime import timedelta
from secrets import token_bytes

from fastapi import FastAPI

from app.db.tenancy import enter
from app.models.api_keys import ApiKey
from app.models.base import utc_now
from app.models.invitations import Invitation, InvitationStatus
from app.policy import Role
from tests.factories.organizations import Tenant
from tests.factories.users import Account, new_email


async def key_of(app: FastAPI, of: Tenant, creator: Account) -> str:
    """Store an API key that may do all that its creator may; return its text."""
    made = app.state.resources.api_keys.make()
    row = ApiKey(
        organization_id=of.id,
        created_by=creator.user.id,
        name="For programs",
        prefix=made.prefix,
        last_four=made.last_four,
        key_hash=made.hash,
        scopes=sorted(Role.OWNER.permissions),
    )
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add(row)
    text: str = made.text
    return text


async def invite_many(app: FastAPI, of: Tenant, number: int) -> None:
    """Store invitations, whose mails are nobody's."""
    rows = [
        Invitation(
            organization_id=of.id,
            email=new_email(),
            role=Role.MEMBER,
            status=InvitationStatus.PENDING,
            token_hash=token_bytes(32),
            expires_at=utc_now() + timedelta(days=7),
        )
        for _ in range(number)
    ]
    async with app.state.resources.sessions.begin() as session:
        await enter(session, organization_id=of.id)
        session.add_all(rows)
