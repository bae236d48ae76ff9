"""What goes when somebody goes, in each organization that they were in."""

import asyncio

from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import Connection
from app.db.tenancy import enter
from app.models.organizations import Membership, Organization
from app.models.users import User
from app.policy import Permission, Role
from tests.contract.answers import complaints
from tests.factories.api_keys import api_key
from tests.factories.organizations import join, member, tenant
from tests.factories.users import PASSWORD, Account, account, account_with_password
from tests.written import trail

DELETE_ACCOUNT = "/api/v1/auth/delete-account"
OWN_PASSWORD = {"password": PASSWORD}
USERS = "/api/v1/users"


async def left_of(whose: Account, look: Connection) -> tuple[int, int]:
    row = await look.fetchrow(
        "SELECT (SELECT count(*) FROM memberships WHERE user_id = $1),"
        " (SELECT count(*) FROM api_keys WHERE created_by = $1)",
        whose.user.id,
    )
    assert row is not None
    return row[0], row[1]


class TestErasedAccount:
    async def test_leaves_every_organization_with_its_keys(
        self, app: FastAPI, client: AsyncClient, owner_connection: Connection
    ) -> None:
        root = await account(app, is_superuser=True)
        own, by_root = await account_with_password(app), await account(app)
        places = [await tenant(app) for _ in range(3)]
        for who in (own, by_root):
            for place, role in zip(places, Role, strict=False):
                await join(app, place, who.user, role)
        keys = [
            (await api_key(app, places[2], who, *Permission)).text
            for who in (own, by_root)
        ]
        gone = await own.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD)
        assert gone.status_code == 204
        gone = await root.client.delete(f"{USERS}/{by_root.user.id}")
        assert gone.status_code == 204
        for who, key in zip((own, by_root), keys, strict=True):
            assert await left_of(who, owner_connection) == (0, 0)
            answer = await client.get(places[2].path, headers={"X-API-Key": key})
            assert answer.status_code == 401
        left = [
            ("member.left", "user", actor.user.id, who.user.id)
            for actor, who in ((own, own), (root, by_root))
        ]
        for place in places[:2]:
            assert await trail(place, owner_connection) == left
        told = [row[:3] for row in await trail(places[2], owner_connection)]
        assert told == [
            (action, "user", actor.user.id)
            for actor in (own, root)
            for action in ("api_key.revoked", "member.left")
        ]

    async def test_goes_nowhere_if_one_organization_needs_it(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account_with_password(app)
        needed = await tenant(app, owner=ada)
        for _ in range(2):
            await join(app, await tenant(app), ada.user)
        answer = await ada.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD)
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "last_owner"
        assert await left_of(ada, owner_connection) == (3, 0)
        await member(app, needed, Role.OWNER)
        answer = await ada.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD)
        assert answer.status_code == 204

    async def test_goes_though_an_organization_goes_before_its_turn(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada, ours = await account_with_password(app), await tenant(app)
        await join(app, ours, ada.user)
        theirs = await tenant(app)
        await join(app, theirs, ada.user)
        async with owner_connection.transaction():
            await owner_connection.execute(
                "UPDATE organizations SET deleted_at = now() WHERE id = $1", ours.id
            )
            going = asyncio.create_task(
                ada.client.post(DELETE_ACCOUNT, json=OWN_PASSWORD)
            )
            await until_somebody_waits(owner_connection)
            await owner_connection.execute(
                "DELETE FROM memberships WHERE organization_id = $1", theirs.id
            )
        answer = await going
        assert answer.status_code == 204, answer.text


async def until_somebody_waits(look: Connection) -> None:
    """Wait until somebody else waits for the end of this transaction."""
    waiting = (
        "SELECT count(*) FROM pg_locks WHERE NOT granted"
        " AND transactionid = pg_current_xact_id()::xid"
    )
    while not await look.fetchval(waiting):  # noqa: ASYNC110 - another process knows
        await asyncio.sleep(0.01)


class TestDeactivatedUser:
    async def test_does_nothing_until_switched_on_again(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        root, ours = await account(app, is_superuser=True), await tenant(app)
        bob = await member(app, ours, Role.ADMIN)
        key = {"X-API-Key": (await api_key(app, ours, bob, *Permission)).text}
        url = f"{USERS}/{bob.user.id}"
        await root.client.patch(url, json={"is_active": False})
        assert (await bob.client.get(ours.path)).status_code == 401
        assert (await client.get(ours.path, headers=key)).status_code == 401
        page = (await ours.owner.client.get(f"{ours.path}/members")).json()
        assert page["total"] == 2
        await root.client.patch(url, json={"is_active": True})
        assert (await client.get(ours.path, headers=key)).is_success
        assert (await bob.client.get(ours.path)).status_code == 401


class TestRelationships:
    async def test_go_from_users_to_organizations_and_back(
        self, app: FastAPI, session: AsyncSession
    ) -> None:
        ada = await account(app)
        places = [await tenant(app, owner=ada), await tenant(app)]
        await join(app, places[1], ada.user, Role.VIEWER)
        await enter(session, user_id=ada.user.id)
        user = await session.get_one(User, ada.user.id)
        found = await session.scalars(user.organizations.select())
        assert {one.id for one in found} == {place.id for place in places}
        found = await session.scalars(
            user.organizations.select().where(Organization.slug == places[0].slug)
        )
        assert [one.id for one in found] == [places[0].id]
        theirs = await session.scalars(user.memberships.select())
        assert {one.role for one in theirs} == {"owner", "viewer"}

        await enter(session, user_id=None, organization_id=places[1].id)
        organization = await session.get_one(Organization, places[1].id)
        within = organization.memberships.select().order_by(Membership.role)
        members = (await session.scalars(within)).all()
        assert [one.role for one in members] == ["owner", "viewer"]
        bob = await account(app)
        new = Membership(
            organization_id=organization.id, user_id=bob.user.id, role=Role.MEMBER
        )
        organization.memberships.add(new)
        await session.commit()
        page = (await bob.client.get(f"{places[1].path}/members")).json()
        assert page["total"] == 3
