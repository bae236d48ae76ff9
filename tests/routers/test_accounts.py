"""Changing the password and leaving, from outside."""

import asyncio
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.db.connections import Connection
from app.db.repositories.users import ERASED_EMAIL
from app.mail.messages import EmailChanged, PasswordChanged
from app.models.base import utc_now
from app.queue import Queue
from app.queue.mails import SendMail
from tests.contract.answers import complaints
from tests.factories.users import (
    PASSWORD,
    Account,
    account_with_password,
    new_email,
    registration,
    signed_in,
)
from tests.routers.test_auth import REGISTER, TOKEN, grant

ME = "/api/v1/users/me"
CHANGE = "/api/v1/auth/change-password"
DELETE = "/api/v1/auth/delete-account"
NEW = "a longer horse battery staple"


async def change(whose: Account, current: str, new: str = NEW) -> int:
    body = {"current_password": current, "new_password": new}
    return (await whose.client.post(CHANGE, json=body)).status_code


async def signs_in(client: AsyncClient, whose: Account, password: str) -> bool:
    answer = await client.post(TOKEN, data=grant(whose.user.email, password))
    return answer.status_code == 200


class TestChangePassword:
    async def test_replaces_it_and_ends_all_other_sessions(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ada = await account_with_password(app)
        other = await signed_in(app, ada.user)
        body = {"current_password": PASSWORD, "new_password": NEW}
        answer = await ada.client.post(CHANGE, json=body)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (await other.client.get(ME)).status_code == 401
        assert (await ada.client.get(ME)).is_success
        assert not await signs_in(client, ada, PASSWORD)
        assert await signs_in(client, ada, NEW)

    async def test_a_wrong_password_changes_nothing(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ada = await account_with_password(app)
        other = await signed_in(app, ada.user)
        body = {"current_password": f"{PASSWORD}!", "new_password": NEW}
        answer = await ada.client.post(CHANGE, json=body)
        assert complaints(answer, status=400) == []
        assert answer.json()["code"] == "invalid_password"
        assert (await other.client.get(ME)).is_success
        assert await signs_in(client, ada, PASSWORD)

    @pytest.mark.parametrize("new", ["short", "iloveyou123", "x" * 129, "aaaaaaaaaaaa"])
    async def test_a_weak_password_is_refused(
        self, app: FastAPI, client: AsyncClient, new: str
    ) -> None:
        ada = await account_with_password(app)
        body = {"current_password": PASSWORD, "new_password": new}
        answer = await ada.client.post(CHANGE, json=body)
        assert complaints(answer, status=422) == []
        assert answer.json()["errors"][0]["pointer"] == "/body/new_password"
        assert await signs_in(client, ada, PASSWORD)

    async def test_of_two_at_once_one_wins(
        self, app: FastAPI, client: AsyncClient
    ) -> None:
        ada = await account_with_password(app)
        other = await signed_in(app, ada.user)
        first, second = f"first {NEW}", f"second {NEW}"
        answers = await asyncio.gather(
            change(ada, PASSWORD, first), change(other, PASSWORD, second)
        )
        assert sorted(answers) in ([204, 400], [204, 401])
        won = first if answers[0] == 204 else second
        assert await signs_in(client, ada, won)
        assert [await signs_in(client, ada, p) for p in (first, second)].count(
            True
        ) == 1


class TestDeleteAccount:
    async def test_erases_what_is_personal_and_keeps_the_row(
        self, app: FastAPI, client: AsyncClient, owner_connection: Connection
    ) -> None:
        ada = await account_with_password(app, full_name="Ada Lovelace")
        other = await signed_in(app, ada.user)
        answer = await ada.client.post(DELETE, json={"password": PASSWORD})
        assert (answer.status_code, answer.content) == (204, b"")
        for client_of_hers in (ada.client, other.client):
            assert (await client_of_hers.get(ME)).status_code == 401
        assert not await signs_in(client, ada, PASSWORD)
        row = await owner_connection.fetchval(
            "SELECT u::text FROM users u WHERE id = $1", ada.user.id
        )
        for personal in (ada.user.email, "Lovelace", "lovelace", "argon2"):
            assert personal not in row
        count = "SELECT count(*) FROM user_sessions WHERE user_id = $1"
        assert await owner_connection.fetchval(count, ada.user.id) == 0

    async def test_forgets_mails_that_were_not_sent_but_the_last(
        self, app: FastAPI, owner_connection: Connection
    ) -> None:
        ada = await account_with_password(app)
        to, name, at = ada.user.email, ada.user.full_name, utc_now()
        told = PasswordChanged(to=to, full_name=name, at=at, was_reset=False)
        about = EmailChanged(to="old@example.com", full_name=name, new_email=to)
        others = PasswordChanged(
            to=new_email(), full_name="Bob", at=at, was_reset=False
        )
        mails = (told, told, about, about, others)
        async with app.state.resources.sessions.begin() as session:
            ids = [await Queue(session).put(SendMail(mail=mail)) for mail in mails]
        held = "UPDATE jobs.queue SET status = 'failed' WHERE id = ANY($1)"
        await owner_connection.execute(held, [ids[1], ids[3]])

        assert (await ada.client.post(DELETE, json={"password": PASSWORD})).is_success
        left = "SELECT id FROM jobs.queue WHERE id = ANY($1) ORDER BY id"
        rows = await owner_connection.fetch(left, ids)
        # A warning to the address before goes out; so does what is another's.
        assert [row["id"] for row in rows] == [ids[2], ids[4]]
        kind = (
            "SELECT convert_from(payload, 'UTF8')::jsonb #>> '{mail,kind}'"
            " FROM jobs.queue WHERE entrypoint = 'mail.send'"
            " AND convert_from(payload, 'UTF8')::jsonb #>> '{mail,to}' = $1"
        )
        assert await owner_connection.fetchval(kind, to) == "account_deleted"

    async def test_frees_the_address(self, app: FastAPI, client: AsyncClient) -> None:
        ada = await account_with_password(app)
        assert (await ada.client.post(DELETE, json={"password": PASSWORD})).is_success
        again = registration(email=ada.user.email)
        created = await client.post(REGISTER, json=again)
        assert created.status_code == 201
        assert created.json()["id"] != str(ada.user.id)

    async def test_a_wrong_password_erases_nothing(self, app: FastAPI) -> None:
        ada = await account_with_password(app)
        answer = await ada.client.post(DELETE, json={"password": "not hers"})
        assert complaints(answer, status=400) == []
        assert answer.json()["code"] == "invalid_password"
        assert (await ada.client.get(ME)).json()["email"] == ada.user.email

    async def test_nobody_can_take_the_address_of_the_erased(
        self, client: AsyncClient
    ) -> None:
        new = registration(email=ERASED_EMAIL.format(id=uuid4()))
        assert (await client.post(REGISTER, json=new)).status_code == 422
