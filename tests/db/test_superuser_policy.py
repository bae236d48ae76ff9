"""What the database itself lets a superuser see of organizations."""

from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.api_keys import api_key
from tests.factories.invitations import invitation
from tests.factories.organizations import Tenant, member, tenant
from tests.factories.users import account

SET = text("SELECT set_config('app.superuser_id', :id, true)")


async def seen(session: AsyncSession, of: Tenant, superuser_id: UUID) -> list[int]:
    """Count what the role that serves sees of an organization."""
    await session.execute(SET, {"id": str(superuser_id)})
    tables = ("memberships", "invitations", "api_keys", "audit_events", "outbox")
    queries = ["SELECT count(*) FROM organizations WHERE id = :id"]
    queries += [
        f"SELECT count(*) FROM {name} WHERE organization_id = :id" for name in tables
    ]
    found = [await session.scalar(text(query), {"id": of.id}) for query in queries]
    await session.rollback()
    return [count or 0 for count in found]


async def test_it_is_the_names_and_nothing_inside(
    app: FastAPI, session: AsyncSession
) -> None:
    ours = await tenant(app)
    await api_key(app, ours, ours.owner)
    await invitation(app, ours)
    await ours.owner.client.patch(ours.path, json={"name": "Renamed"})
    root = await account(app, is_superuser=True)
    assert await seen(session, ours, root.user.id) == [1, 0, 0, 0, 0, 0]
    bob = await member(app, ours)
    off = await account(app, is_superuser=True, is_active=False)
    for whose in (bob.user.id, off.user.id, ours.owner.user.id, ours.id):
        assert await seen(session, ours, whose) == [0] * 6

    await session.execute(SET, {"id": str(root.user.id)})
    for change in ("UPDATE organizations SET name = 'x'", "DELETE FROM organizations"):
        changed = await session.execute(
            text(f"{change} WHERE id = :id RETURNING id"), {"id": ours.id}
        )
        assert changed.all() == []
