"""The users API, from outside."""

from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from tests.factories.users import account, user


class TestGetOwnUser:
    async def test_shows_the_caller_and_no_secret(self, app: FastAPI) -> None:
        ada = await account(app, full_name="Ada Lovelace")
        response = await ada.client.get("/api/v1/users/me")
        assert response.status_code == 200
        assert response.json() == {
            "id": str(ada.user.id),
            "email": ada.user.email,
            "full_name": "Ada Lovelace",
            "is_active": True,
            "is_superuser": False,
            "email_verified": False,
            "created_at": ada.user.created_at.isoformat().replace("+00:00", "Z"),
            "updated_at": ada.user.updated_at.isoformat().replace("+00:00", "Z"),
        }

    async def test_needs_a_token(self, client: AsyncClient) -> None:
        response = await client.get("/api/v1/users/me")
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"

    async def test_refuses_who_was_switched_off_at_once(
        self, app: FastAPI, session: AsyncSession
    ) -> None:
        ada = await account(app)
        assert (await ada.client.get("/api/v1/users/me")).status_code == 200
        (await session.merge(ada.user)).is_active = False
        await session.commit()
        assert (await ada.client.get("/api/v1/users/me")).status_code == 401

    async def test_refuses_the_token_of_a_deleted_user(
        self, app: FastAPI, session: AsyncSession
    ) -> None:
        ada = await account(app)
        await session.delete(await session.merge(ada.user))
        await session.commit()
        assert (await ada.client.get("/api/v1/users/me")).status_code == 401


class TestUpdateOwnUser:
    async def test_changes_the_name(self, app: FastAPI) -> None:
        ada = await account(app)
        response = await ada.client.patch(
            "/api/v1/users/me", json={"full_name": "  Ada King "}
        )
        assert response.status_code == 200
        assert response.json()["full_name"] == "Ada King"
        assert response.json()["updated_at"] > response.json()["created_at"]
        read = await ada.client.get("/api/v1/users/me")
        assert read.json() == response.json()

    async def test_changes_nothing_when_nothing_is_sent(self, app: FastAPI) -> None:
        ada = await account(app)
        response = await ada.client.patch("/api/v1/users/me", json={})
        assert response.status_code == 200
        assert response.json() == (await ada.client.get("/api/v1/users/me")).json()

    @pytest.mark.parametrize(
        "name",
        [
            "\u202e" + "Ada",
            "\u200b\u200d",
            "\N{MUSICAL SYMBOL HALF NOTE}" * 100,
            "a\u2028b",
        ],
    )
    async def test_refuses_a_name_that_misleads(self, app: FastAPI, name: str) -> None:
        ada = await account(app)
        response = await ada.client.patch("/api/v1/users/me", json={"full_name": name})
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/body/full_name"

    async def test_refuses_null_for_the_name(self, app: FastAPI) -> None:
        ada = await account(app)
        response = await ada.client.patch("/api/v1/users/me", json={"full_name": None})
        assert response.status_code == 422
        assert response.json()["errors"][0]["pointer"] == "/body/full_name"


class TestGetUser:
    async def test_shows_oneself(self, app: FastAPI) -> None:
        ada = await account(app)
        response = await ada.client.get(f"/api/v1/users/{ada.user.id}")
        assert response.json() == (await ada.client.get("/api/v1/users/me")).json()

    async def test_shows_anybody_to_a_superuser(
        self, app: FastAPI, session: AsyncSession
    ) -> None:
        root = await account(app, is_superuser=True)
        other = user()
        session.add(other)
        await session.commit()
        response = await root.client.get(f"/api/v1/users/{other.id}")
        assert response.json()["email"] == other.email

    async def test_hides_others_as_if_they_were_missing(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        foreign = await ada.client.get(f"/api/v1/users/{bob.user.id}")
        missing = await ada.client.get(f"/api/v1/users/{uuid4()}")
        assert foreign.status_code == missing.status_code == 404
        varying = {"instance", "request_id"}
        assert {k: v for k, v in foreign.json().items() if k not in varying} == {
            k: v for k, v in missing.json().items() if k not in varying
        }

    async def test_a_superuser_misses_who_is_not_there(self, app: FastAPI) -> None:
        root = await account(app, is_superuser=True)
        assert (await root.client.get(f"/api/v1/users/{uuid4()}")).status_code == 404

    async def test_a_malformed_id_is_not_found(self, app: FastAPI) -> None:
        ada = await account(app)
        for malformed in ("x", "1", "%00", "%ff", str(ada.user.id) + "0"):
            response = await ada.client.get(f"/api/v1/users/{malformed}")
            assert response.status_code == 404
