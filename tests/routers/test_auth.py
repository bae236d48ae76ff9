"""The auth API, from outside."""

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from argon2 import PasswordHasher
from httpx2 import AsyncClient, BasicAuth
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import Connection
from app.models.users import User
from tests.contract.answers import complaints
from tests.contract.forgeries import decode
from tests.factories.users import PASSWORD, new_email, registration, user

REGISTER = "/api/v1/auth/register"
TOKEN = "/api/v1/auth/token"
FORM = "application/x-www-form-urlencoded"


def grant(email: str, password: str = PASSWORD, **more: str) -> dict[str, str]:
    form = {"grant_type": "password", "username": email, "password": password}
    return form | more


async def signed_up(client: AsyncClient, **given: Any) -> dict[str, Any]:
    """Register somebody; return what was sent."""
    new = registration(**given)
    answer = await client.post(REGISTER, json=new)
    assert answer.status_code == 201, answer.text
    return new


class TestRegister:
    async def test_shows_the_account_and_where_it_is(self, client: AsyncClient) -> None:
        new = registration(full_name="  Ada Lovelace ")
        response = await client.post(REGISTER, json=new)
        assert response.status_code == 201
        account = response.json()
        assert response.headers["location"] == f"/api/v1/users/{account['id']}"
        assert response.headers["cache-control"] == "no-store"
        assert account == {
            "id": account["id"],
            "email": new["email"],
            "full_name": "Ada Lovelace",
            "is_active": True,
            "is_superuser": False,
            "email_verified": False,
            "created_at": account["created_at"],
            "updated_at": account["created_at"],
        }

    async def test_stores_the_password_as_a_hash_only(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        new = await signed_up(client)
        row = await owner_connection.fetchval(
            "SELECT u::text FROM users u WHERE email = $1", new["email"]
        )
        assert "$argon2id$v=19$m=19456,t=2,p=1$" in row
        assert new["password"] not in row

    async def test_fifty_at_once_with_one_address_make_one_account(
        self, client: AsyncClient, owner_connection: Connection
    ) -> None:
        email = new_email()
        answers = await asyncio.gather(
            *(client.post(REGISTER, json=registration(email=email)) for _ in range(50))
        )
        assert Counter(a.status_code for a in answers) == {201: 1, 409: 49}
        refused = [answer for answer in answers if answer.status_code == 409]
        assert {answer.json()["code"] for answer in refused} == {"email_taken"}
        assert all(complaints(answer, status=409) == [] for answer in refused)
        count = "SELECT count(*) FROM users WHERE email = $1"
        assert await owner_connection.fetchval(count, email) == 1

    @pytest.mark.parametrize(
        "other",
        [
            str.upper,
            str.title,
            lambda email: unicodedata.normalize("NFD", email),
            lambda email: unicodedata.normalize("NFD", email).upper(),
            lambda email: email.replace("@münchen", "@xn--mnchen-3ya"),
            lambda email: email.replace("@münchen", "@MÜNCHEN"),
        ],
        ids=["upper", "title", "decomposed", "both", "punycode", "upper domain"],
    )
    async def test_an_address_is_one_account_in_every_spelling(
        self, client: AsyncClient, other: Callable[[str], str]
    ) -> None:
        email = f"bjørn.é-{new_email().partition('@')[0]}@münchen.example"
        again = registration(email=other(email))
        answers = await asyncio.gather(
            client.post(REGISTER, json=registration(email=email)),
            client.post(REGISTER, json=again),
        )
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        (account,) = [a.json() for a in answers if a.status_code == 201]
        assert account["email"] == email
        form = grant(again["email"])
        assert (await client.post(TOKEN, data=form)).status_code == 200

    @pytest.mark.parametrize(
        "password",
        [
            "short",
            "x" * 129,
            "iloveyou",
            "PASSWORD123",
            "12345678",
            "qwertyuiop",
            "aaaaaaaaaaaaaaaa",
            "abababababababab",
            "Zenith API!",
            "Lovelace2024",
        ],
    )
    async def test_a_weak_password_is_refused_without_being_shown(
        self, client: AsyncClient, password: str
    ) -> None:
        new = registration(password=password, full_name="Ada Lovelace")
        response = await client.post(REGISTER, json=new)
        assert complaints(response, status=422) == []
        assert response.json()["errors"][0]["pointer"] == "/body/password"
        assert password not in response.text

    @pytest.mark.parametrize(
        "password",
        [
            "tr0ub4dor&3",
            " leading and trailing ",
            "пароль из слов",
            "👩‍🚀🚀🌍🛰️ to orbit",
            "0123456789abcdef" * 8,
            'quotes " and \\ and %00',
        ],
    )
    async def test_any_other_password_works_as_it_was_typed(
        self, client: AsyncClient, password: str
    ) -> None:
        new = await signed_up(client, password=password)
        answer = await client.post(TOKEN, data=grant(new["email"], password))
        assert answer.status_code == 200
        for wrong in (password.strip(), password.upper(), password[:-1]):
            if wrong != password:
                answer = await client.post(TOKEN, data=grant(new["email"], wrong))
                assert answer.status_code == 400

    async def test_a_password_is_the_same_composed_or_not(
        self, client: AsyncClient
    ) -> None:
        typed = "señor müller à la plage"
        new = await signed_up(client, password=unicodedata.normalize("NFD", typed))
        answer = await client.post(TOKEN, data=grant(new["email"], typed))
        assert answer.status_code == 200


class TestIssueToken:
    async def test_gives_a_token_that_opens_the_api(self, client: AsyncClient) -> None:
        new = await signed_up(client)
        response = await client.post(TOKEN, data=grant(new["email"]))
        assert response.status_code == 200
        assert response.headers["cache-control"] == "no-store"
        answer = response.json()
        assert answer["token_type"] == "bearer"
        assert answer["expires_in"] == 30 * 60
        headers = {"Authorization": f"Bearer {answer['access_token']}"}
        me = await client.get("/api/v1/users/me", headers=headers)
        assert me.json()["email"] == new["email"]

    async def test_the_token_has_the_profile_of_access_tokens(
        self, client: AsyncClient
    ) -> None:
        new = await signed_up(client)
        answer = await client.post(TOKEN, data=grant(new["email"]))
        header, claims = map(decode, answer.json()["access_token"].split(".")[:2])
        assert header.keys() == {"alg", "typ", "kid"}
        assert header["typ"] == "at+jwt"
        assert claims.keys() >= {"iss", "aud", "sub", "iat", "exp", "jti"}
        assert claims["exp"] - claims["iat"] == 30 * 60
        assert new["email"] not in str(claims)

    async def test_what_other_clients_add_is_ignored(self, client: AsyncClient) -> None:
        new = await signed_up(client)
        forms = (
            grant(new["email"], scope="", client_id="", client_secret=""),
            grant(new["email"], scope="openid email", client_id="app", resource="x"),
            grant(new["email"].upper()),
            grant(f"{new['email']}"),
        )
        for form in forms:
            assert (await client.post(TOKEN, data=form)).status_code == 200

    async def test_credentials_of_the_client_itself_are_ignored(
        self, client: AsyncClient
    ) -> None:
        new = await signed_up(client)
        auth = BasicAuth("app", "secret")
        answer = await client.post(TOKEN, data=grant(new["email"]), auth=auth)
        assert answer.status_code == 200

    @pytest.mark.parametrize(
        "media_type", [FORM, FORM.upper(), f"{FORM}; charset=UTF-8", f"{FORM};x=y"]
    )
    async def test_a_form_is_read_under_every_spelling_of_its_type(
        self, client: AsyncClient, media_type: str
    ) -> None:
        new = await signed_up(client)
        content = urlencode(grant(new["email"]))
        headers = {"Content-Type": media_type}
        answer = await client.post(TOKEN, content=content, headers=headers)
        assert answer.status_code == 200

    async def test_who_is_switched_off_is_told_after_the_right_password_only(
        self, client: AsyncClient, session: AsyncSession
    ) -> None:
        new = await signed_up(client)
        await switch_off(session, new["email"])
        right = await client.post(TOKEN, data=grant(new["email"]))
        assert right.status_code == 400
        assert right.json()["code"] == "inactive_user"
        assert right.json()["error"] == "invalid_grant"
        wrong = await client.post(TOKEN, data=grant(new["email"], "wrong password"))
        assert wrong.json()["code"] == "invalid_grant"

    async def test_an_outdated_hash_is_replaced(
        self, client: AsyncClient, session: AsyncSession, owner_connection: Connection
    ) -> None:
        old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
        row = user(password_hash=old.hash(PASSWORD))
        session.add(row)
        await session.commit()
        for _ in range(2):
            assert (await client.post(TOKEN, data=grant(row.email))).is_success
        stored = "SELECT password_hash FROM users WHERE id = $1"
        assert "m=19456" in await owner_connection.fetchval(stored, row.id)


async def switch_off(session: AsyncSession, email: str) -> None:
    await session.execute(
        update(User).where(User.email == email).values(is_active=False)
    )
    await session.commit()
