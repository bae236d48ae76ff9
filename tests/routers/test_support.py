"""What superusers do for others, from outside."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from tests.contract.answers import complaints
from tests.factories.organizations import tenant
from tests.factories.users import (
    Account,
    account,
)

ADMIN_ORGANIZATIONS = "/api/v1/admin/organizations"


@pytest.fixture
async def root(app: FastAPI) -> Account:
    return await account(app, is_superuser=True)


async def listed(root: Account, **query: str | int) -> list[dict[str, Any]]:
    answer = await root.client.get(ADMIN_ORGANIZATIONS, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


class TestGetAllOrganizations:
    async def test_shows_those_of_others_and_what_was_deleted(
        self, app: FastAPI, root: Account
    ) -> None:
        mark = uuid4().hex[:10]
        living = await tenant(app, name=f"Café Ünal {mark}")
        gone = await tenant(app, name=f"Gone {mark}")
        url, query = gone.path, {"slug": gone.slug}
        deleted = await gone.owner.client.delete(url, params=query)
        assert deleted.status_code == 202
        first, second = await listed(root, q=mark, sort="name")
        assert first == {
            "id": str(living.id),
            "name": f"Café Ünal {mark}",
            "slug": living.slug,
            "created_at": first["created_at"],
            "updated_at": first["created_at"],
            "deleted_at": None,
        }
        assert second["id"] == str(gone.id)
        assert second["updated_at"] >= second["deleted_at"] > first["created_at"]

    async def test_finds_by_words_of_name_and_slug_also_after_a_change(
        self, app: FastAPI, root: Account
    ) -> None:
        mark = uuid4().hex[:10]
        one = await tenant(app, name=f"Café {mark}", slug=f"tea-{mark}")
        await tenant(app, name=f"Bar {mark}", slug=f"bar-{mark}")
        for q in (f"cafe {mark}", f"TEA {mark[:8]}", one.slug):
            assert [o["id"] for o in await listed(root, q=q)] == [str(one.id)], q
        for q in ("", "%", f"afe {mark}"):
            assert await listed(root, q=q) == []
        await one.owner.client.patch(one.path, json={"name": f"Kiosk {mark}"})
        assert await listed(root, q=f"cafe {mark}") == []
        assert [o["id"] for o in await listed(root, q=f"kiosk {mark}")] == [str(one.id)]
        made = await root.client.post(
            "/api/v1/organizations", json={"name": f"Zürich {mark}"}
        )
        (found,) = await listed(root, q=f"zurich {mark}")
        assert found["id"] == made.json()["id"]

    async def test_sorts_and_pages_both_ways(self, app: FastAPI, root: Account) -> None:
        mark = uuid4().hex[:10]
        made = [
            await tenant(app, name=f"{mark} {n}", slug=f"{mark}-{9 - n}")
            for n in range(5)
        ]
        ids = [str(one.id) for one in made]
        for sort, expected in (
            ("created_at", ids),
            ("-created_at", ids[::-1]),
            ("-name", ids[::-1]),
            ("slug", ids[::-1]),
        ):
            query: dict[str, str | int] = {"q": mark, "sort": sort, "size": 2}
            followed: list[str] = []
            cursor: dict[str, str | int] = {}
            while True:
                answer = await root.client.get(
                    ADMIN_ORGANIZATIONS, params=query | cursor
                )
                page = answer.json()
                followed += [item["id"] for item in page["items"]]
                if page["next_cursor"] is None:
                    break
                cursor = {"cursor": page["next_cursor"]}
            assert followed == expected, sort
        last = await root.client.get(
            ADMIN_ORGANIZATIONS, params={"q": mark, "size": 2, "page": 3}
        )
        assert (last.json()["total"], len(last.json()["items"])) == (5, 1)

    async def test_is_for_superusers(self, app: FastAPI, client: AsyncClient) -> None:
        owner = (await tenant(app)).owner
        answer = await owner.client.get(ADMIN_ORGANIZATIONS)
        assert complaints(answer, status=403) == []
        assert (await client.get(ADMIN_ORGANIZATIONS)).status_code == 401
        former = await account(app, is_superuser=True)
        assert (await former.client.get(ADMIN_ORGANIZATIONS)).is_success
