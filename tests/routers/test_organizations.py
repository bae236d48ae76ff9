"""The organizations API, from outside."""

import re
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from app.policy import Permission, Role
from tests.contract.answers import complaints, pointers, without_identity
from tests.factories.api_keys import api_key
from tests.factories.organizations import ROOT, join, member, tenant
from tests.factories.users import Account, account

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


async def found(who: Account, **body: Any) -> dict[str, Any]:
    answer = await who.client.post(ROOT, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


class TestCreateOrganization:
    async def test_makes_its_founder_the_owner(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada, mark = await account(app), uuid4().hex[:10]
        answer = await ada.client.post(ROOT, json={"name": f"  Café {mark} "})
        made = answer.json()
        assert made == {
            "id": made["id"],
            "name": f"Café {mark}",
            "slug": f"cafe-{mark}",
            "role": "owner",
            "created_at": made["created_at"],
            "updated_at": made["created_at"],
        }
        assert answer.status_code == 201
        assert answer.headers["location"] == f"{ROOT}/{made['id']}"
        read = await ada.client.get(answer.headers["location"])
        assert read.json() == made
        assert read.headers["etag"] == answer.headers["etag"]
        for table in ("audit_events", "outbox"):
            name = "action" if table == "audit_events" else "type"
            rows = await owner_connection.fetch(
                f"SELECT {name} FROM {table} WHERE organization_id = $1",
                read.json()["id"],
            )
            told = {row[0] for row in rows}
            assert told == {"organization.created", "member.joined"}

    @pytest.mark.parametrize(
        ("name", "slug"),
        [
            ("中文公司", "zhong-wen-gong-si"),
            ("شركة", "shrk"),
            ("Ænima & Søn Straße", "aenima-son-strasse"),
            ("🎉🎉", "organization"),
            ("---", "organization"),
            ("x" * 100, "x" * 50),
            ("日本" * 50, "ri-ben-ri-ben-ri-ben-ri-ben-ri-ben-ri-ben-ri-ben"),
            ("&#99999999999; &amp;", "99999999999"),
            ("a_b/../c?d=%00", "a-b-c-d-00"),
        ],
    )
    async def test_makes_a_slug_of_a_name_in_any_script_and_one_more(
        self, app: FastAPI, name: str, slug: str
    ) -> None:
        ada = await account(app)
        slugs = [(await found(ada, name=name))["slug"] for _ in range(3)]
        assert len(set(slugs)) == 3
        # Another test may have had one without a letter before.
        assert slugs[0] == slug or slug == "organization"
        for one in slugs[1:]:
            assert SLUG.fullmatch(one)
            assert len(one) <= 50
            assert slug.startswith(one[:-7])

    async def test_takes_no_slug_that_another_has(self, app: FastAPI) -> None:
        other, ada = await tenant(app), await account(app)
        answer = await ada.client.post(ROOT, json={"name": "x", "slug": other.slug})
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "slug_taken"
        assert (await ada.client.get(ROOT)).json()["total"] == 0
        # What is derived from a name gives way.
        made = await found(ada, name=other.slug)
        assert re.fullmatch(f"{other.slug}-[0-9a-f]{{6}}", made["slug"])

    async def test_refuses_what_is_no_slug_and_no_name(self, app: FastAPI) -> None:
        ada = await account(app)
        for slug in ("", "-", "a-", "-a", "a--b", "A", "é", "a b", "a\n", "a" * 51):
            answer = await ada.client.post(ROOT, json={"name": "x", "slug": slug})
            assert complaints(answer, status=422) == [], slug
            assert pointers(answer) == ["/body/slug"]
        for name in ("", "   ", "x" * 101, "a\u202eb", "a\nb", "\u200b", None, 1):
            answer = await ada.client.post(ROOT, json={"name": name})
            assert complaints(answer, status=422) == [], name
        answer = await ada.client.post(ROOT, json={"name": "x", "role": "owner"})
        assert pointers(answer) == ["/body/role"]

    async def test_is_nothing_that_a_key_does(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ours = await tenant(app)
        headers = {
            "X-API-Key": (await api_key(app, ours, ours.owner, *Permission)).text
        }
        answer = await client.post(ROOT, json={"name": "x"}, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "user_required")


class TestGetOrganizations:
    async def test_pages_and_sorts_those_that_one_is_in(self, app: FastAPI) -> None:
        ada, _ = await account(app), await tenant(app)
        others = [await tenant(app, name=f"{9 - n}") for n in range(3)]
        for other in others:
            await join(app, other, ada.user, Role.VIEWER)
        ids = [str(other.id) for other in others]
        ids.append((await found(ada, name="0"))["id"])
        for sort, expected in (("created_at", ids), ("name", ids[::-1])):
            for way in (1, -1):
                query: dict[str, Any] = {"sort": ("-" * (way < 0)) + sort, "size": 3}
                page = (await ada.client.get(ROOT, params=query)).json()
                assert (page["total"], page["pages"]) == (4, 2)
                query["cursor"] = page["next_cursor"]
                rest = (await ada.client.get(ROOT, params=query)).json()
                shown = [item["id"] for item in page["items"] + rest["items"]]
                assert shown == expected[::way]
                assert rest["next_cursor"] is None
        page = (await ada.client.get(ROOT, params={"sort": "name"})).json()
        roles = [item["role"] for item in page["items"]]
        assert roles == ["owner", "viewer", "viewer", "viewer"]

    async def test_shows_as_many_as_one_is_in(self, app: FastAPI) -> None:
        ada, other = await account(app), await account(app)
        for _ in range(50):
            one = await tenant(app, owner=other)
            await join(app, one, ada.user)
        page = (await ada.client.get(ROOT)).json()
        assert (page["total"], len(page["items"])) == (50, 50)
        assert {item["role"] for item in page["items"]} == {"member"}
        last = await ada.client.get(ROOT, params={"page": 10, "size": 5})
        assert len(last.json()["items"]) == 5

    async def test_a_cursor_of_another_person_is_refused(self, app: FastAPI) -> None:
        ours = await tenant(app)
        await tenant(app, owner=ours.owner)
        bob = await member(app, ours)
        page = (await ours.owner.client.get(ROOT, params={"size": 1})).json()
        query = {"size": 1, "cursor": page["next_cursor"]}
        assert (await bob.client.get(ROOT, params=query)).status_code == 422


class TestGetOrganization:
    async def test_is_nothing_to_who_is_no_member(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        root = await account(app, is_superuser=True)
        missing = without_identity(await root.client.get(f"{ROOT}/{uuid4()}"))
        key = {
            "X-API-Key": (await api_key(app, theirs, theirs.owner, *Permission)).text
        }
        for answer in (
            await root.client.get(ours.path),
            await theirs.owner.client.get(ours.path),
            await theirs.owner.client.patch(ours.path, json={"name": "x"}),
            await theirs.owner.client.delete(ours.path, params={"slug": ours.slug}),
            await theirs.owner.client.get(f"{ours.path}/members"),
            await client.get(ours.path, headers=key),
        ):
            assert complaints(answer, status=404) == []
            assert without_identity(answer) == missing
        assert (await client.get(theirs.path, headers=key)).is_success
        assert (await client.get(ours.path)).status_code == 401


class TestETags:
    async def test_another_role_is_another_answer_to_the_same_row(
        self, app: FastAPI
    ) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, Role.MEMBER)
        before = (await bob.client.get(ours.path)).headers["etag"]
        assert before != (await ours.owner.client.get(ours.path)).headers["etag"]
        same = await bob.client.get(ours.path, headers={"If-None-Match": before})
        assert same.status_code == 304
        url = f"{ours.path}/members/{bob.user.id}"
        await ours.owner.client.patch(url, json={"role": "admin"})
        after = await bob.client.get(ours.path, headers={"If-None-Match": before})
        assert (after.status_code, after.json()["role"]) == (200, "admin")
        assert after.headers["etag"] != before
        # The row has not changed, whoever reads it.
        answer = await bob.client.patch(
            ours.path, json={"name": "x"}, headers={"If-Match": before}
        )
        assert answer.status_code == 200
        for stale in (before, after.headers["etag"]):
            headers = {"If-Match": stale}
            answer = await bob.client.patch(
                ours.path, json={"name": "y"}, headers=headers
            )
            assert complaints(answer, status=412) == []
        headers = {"If-Match": (await bob.client.get(ours.path)).headers["etag"]}
        query = {"slug": ours.slug}
        owner = ours.owner.client
        old = {"If-Match": before}
        answer = await owner.delete(ours.path, params=query, headers=old)
        assert answer.status_code == 412
        answer = await owner.delete(ours.path, params=query, headers=headers)
        assert answer.status_code == 202


class TestUpdateOrganization:
    async def test_changes_what_is_sent(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ours, mark = await tenant(app), uuid4().hex[:10]
        boss = await member(app, ours, Role.ADMIN)
        before = (await boss.client.get(ours.path)).json()
        body = {"name": "東京", "slug": f"tokyo-{mark}"}
        answer = await boss.client.patch(ours.path, json=body)
        after = {**before, **body, "updated_at": answer.json()["updated_at"]}
        assert answer.json() == after == (await boss.client.get(ours.path)).json()
        for same in ({}, body):
            again = await boss.client.patch(ours.path, json=same)
            assert again.json() == after
            assert again.headers["etag"] == answer.headers["etag"]
        changes = await owner_connection.fetchval(
            "SELECT array_agg(changes) FROM audit_events WHERE organization_id = $1",
            ours.id,
        )
        assert len(changes) == 1
        other = await found(boss, name="x", slug=ours.slug)  # which is free again
        assert other["slug"] == ours.slug

    async def test_conflicts_refuse_the_whole_change(self, app: FastAPI) -> None:
        ours, theirs = await tenant(app), await tenant(app)
        body = {"name": "Changed", "slug": theirs.slug}
        answer = await ours.owner.client.patch(ours.path, json=body)
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "slug_taken"
        assert (await ours.owner.client.get(ours.path)).json()["slug"] == ours.slug
        for wrong in (
            {"slug": None},
            {"name": None},
            {"slug": "A"},
            {"id": str(ours.id)},
        ):
            answer = await ours.owner.client.patch(ours.path, json=wrong)
            assert complaints(answer, status=422) == []

    @pytest.mark.parametrize("role", [Role.VIEWER, Role.MEMBER])
    async def test_takes_an_admin(self, app: FastAPI, role: Role) -> None:
        ours = await tenant(app)
        bob = await member(app, ours, role)
        answer = await bob.client.patch(ours.path, json={"name": "x"})
        assert complaints(answer, status=403) == []
