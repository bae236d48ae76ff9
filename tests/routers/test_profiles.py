"""One's profile: defaults until the first change, and no change lost."""

import asyncio
import json

import pytest
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from app.db.connections import Connection
from app.models.users import User
from tests.contract.answers import complaints, pointers
from tests.factories.pictures import PROFILE
from tests.factories.support import acting_as
from tests.factories.users import account

ROWS = "SELECT count(*) FROM user_profiles WHERE user_id = $1"


class TestGetProfile:
    async def test_shows_defaults_and_writes_nothing(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        answer = await ada.client.get(PROFILE)
        me = (await ada.client.get("/api/v1/users/me")).json()
        assert answer.json() == {
            "locale": "en",
            "time_zone": "UTC",
            "avatar_url": None,
            "updated_at": me["created_at"],
        }
        assert answer.headers["cache-control"] == "private, no-cache"
        assert await owner_connection.fetchval(ROWS, ada.user.id) == 0

    async def test_is_not_sent_again_until_it_changes(self, app: FastAPI) -> None:
        ada = await account(app)
        known = {"If-None-Match": (await ada.client.get(PROFILE)).headers["etag"]}
        answer = await ada.client.get(PROFILE, headers=known)
        assert answer.status_code == 304
        await ada.client.patch(PROFILE, json={"locale": "de"})
        answer = await ada.client.get(PROFILE, headers=known)
        assert answer.json()["locale"] == "de"

    async def test_is_ones_own(self, app: FastAPI) -> None:
        ada, bob = await account(app), await account(app)
        await ada.client.patch(PROFILE, json={"locale": "de"})
        assert (await bob.client.get(PROFILE)).json()["locale"] == "en"


class TestUpdateProfile:
    async def test_changes_what_is_sent(self, app: FastAPI) -> None:
        ada = await account(app)
        first = await ada.client.patch(PROFILE, json={"time_zone": "Asia/Tokyo"})
        second = await ada.client.patch(PROFILE, json={"locale": "ja"})
        shown = await ada.client.get(PROFILE)
        assert shown.json() == second.json()
        assert shown.headers["etag"] == second.headers["etag"]
        assert (shown.json()["locale"], shown.json()["time_zone"]) == (
            "ja",
            "Asia/Tokyo",
        )
        assert second.json()["updated_at"] > first.json()["updated_at"]

    @pytest.mark.parametrize(
        ("typed", "canonical"),
        [
            ("EN", "en"),
            ("pt-br", "pt-BR"),
            ("ZH-hant-tw", "zh-Hant-TW"),
            ("es-419", "es-419"),
            ("de-CH-1996", "de-CH-1996"),
            ("SL-ROZAJ-biske", "sl-rozaj-biske"),
        ],
    )
    async def test_writes_a_locale_in_one_way(
        self, app: FastAPI, typed: str, canonical: str
    ) -> None:
        ada = await account(app)
        answer = await ada.client.patch(PROFILE, json={"locale": typed})
        assert answer.json()["locale"] == canonical

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("locale", ""),
            ("locale", "e"),
            ("locale", "english"),
            ("locale", "en_US"),
            ("locale", "en-"),
            ("locale", "en-USA"),
            ("locale", "en\n"),
            ("locale", "e\u0660"),
            ("time_zone", ""),
            ("time_zone", "utc"),
            ("time_zone", "Europe/Atlantis"),
            ("time_zone", "localtime"),
            ("time_zone", "Factory"),
            ("time_zone", "../etc/passwd"),
            ("time_zone", "/etc/localtime"),
        ],
    )
    async def test_refuses_what_is_none(
        self, app: FastAPI, field: str, value: str
    ) -> None:
        ada = await account(app)
        answer = await ada.client.patch(PROFILE, json={field: value})
        assert complaints(answer, status=422) == []
        assert pointers(answer) == [f"/body/{field}"]

    async def test_a_change_of_nothing_changes_nothing(self, app: FastAPI) -> None:
        ada = await account(app)
        before = await ada.client.get(PROFILE)
        for same in ({}, {"locale": "en"}):
            await ada.client.patch(PROFILE, json=same)
        after = await ada.client.get(PROFILE)
        assert after.headers["etag"] == before.headers["etag"]
        assert after.json() == before.json()

    async def test_two_first_changes_at_once_are_both_made(self, app: FastAPI) -> None:
        ada = await account(app)
        bodies = ({"locale": "de"}, {"time_zone": "Europe/Berlin"})
        patches = (ada.client.patch(PROFILE, json=body) for body in bodies)
        answers = await asyncio.gather(*patches)
        assert [answer.status_code for answer in answers] == [200, 200]
        shown = (await ada.client.get(PROFILE)).json()
        assert (shown["locale"], shown["time_zone"]) == ("de", "Europe/Berlin")

    async def test_of_two_changes_of_what_was_read_once_one_is_made(
        self, app: FastAPI
    ) -> None:
        ada = await account(app)
        # The first change ever, and one after it.
        for locales in (("de", "fr", "it"), ("pl", "sv", "uk")):
            match = {"If-Match": (await ada.client.get(PROFILE)).headers["etag"]}
            patches = (
                ada.client.patch(PROFILE, json={"locale": locale}, headers=match)
                for locale in locales
            )
            answers = await asyncio.gather(*patches)
            statuses = sorted(answer.status_code for answer in answers)
            assert statuses == [200, 412, 412]
            stale = next(a for a in answers if a.status_code == 412)
            assert complaints(stale, status=412) == []

    async def test_a_stale_first_change_leaves_no_row(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        match = {"If-Match": '"stale"'}
        answer = await ada.client.patch(PROFILE, json={"locale": "de"}, headers=match)
        assert answer.status_code == 412
        assert await owner_connection.fetchval(ROWS, ada.user.id) == 0

    async def test_by_support_is_written_down(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        support = await acting_as(app, ada)
        for client, zone in ((ada.client, "Paris"), (support.client, "Rome")):
            change = {"time_zone": f"Europe/{zone}"}
            assert (await client.patch(PROFILE, json=change)).is_success
        rows = await owner_connection.fetch(
            "SELECT changes FROM audit_events"
            " WHERE target_id = $1 AND action = 'profile.updated'",
            ada.user.id,
        )
        assert [json.loads(row[0]) for row in rows] == [
            {"time_zone": {"from": "***", "to": "***"}}
        ]


class TestUserProfile:
    async def test_belongs_to_its_user(
        self, app: FastAPI, session: AsyncSession
    ) -> None:
        ada = await account(app)
        users = (
            select(User).options(joinedload(User.profile)).where(User.id == ada.user.id)
        )
        bare = await session.scalar(users)
        assert bare is not None
        assert bare.profile is None
        await ada.client.patch(PROFILE, json={"locale": "de"})
        session.expire_all()
        found = await session.scalar(users)
        assert found is not None
        assert found.profile is not None
        assert found.profile.locale == "de"

    async def test_goes_with_its_user(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account(app)
        await ada.client.patch(PROFILE, json={"locale": "de"})
        await owner_connection.execute("DELETE FROM users WHERE id = $1", ada.user.id)
        assert await owner_connection.fetchval(ROWS, ada.user.id) == 0
