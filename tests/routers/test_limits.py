"""Limits, from outside: who is stopped, when, and who is not."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient, Response
from pydantic import SecretStr

from app.config import Settings
from app.integrations.redis import Redis
from tests.conftest import BASE_URL, running
from tests.contract.answers import complaints
from tests.factories.support import acting_as
from tests.factories.users import (
    PASSWORD,
    Account,
    account,
    account_with_password,
    new_email,
    signed_in,
)
from tests.processes import PATIENCE_SECONDS
from tests.routers.test_auth import TOKEN, grant
from tests.valkey import Valkey

ME = "/api/v1/users/me"
WRONG = "a wrong one of good length"


@pytest.fixture(params=["process", "redis"])
async def limited(
    request: pytest.FixtureRequest,
    settings: Settings,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FastAPI]:
    """An application that counts, by itself or in a Redis."""
    # On a machine with much to do, an answer may be late and would count for nothing.
    defaults: Any = Redis.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "seconds", PATIENCE_SECONDS)
    # Another secret makes other names of counters.
    secret = SecretStr(uuid4().hex)
    changes: dict[str, object] = {"RATE_LIMIT_ENABLED": True, "SECRET_KEY": secret}
    if request.param == "redis":
        changes["REDIS_URL"] = SecretStr(valkey.url)
    async with running(settings.model_copy(update=changes)) as app:
        yield app


def from_address(app: FastAPI, address: str, **headers: str) -> AsyncClient:
    """Somebody at another address."""
    transport = ASGITransport(app, client=(address, 50000))
    return AsyncClient(transport=transport, base_url=BASE_URL, headers=headers)


async def sign_in(client: AsyncClient, email: str, password: str = WRONG) -> Response:
    return await client.post(TOKEN, data=grant(email, password))


def statuses(answers: list[Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


def assert_limited(answer: Response, policy: str) -> None:
    assert complaints(answer, status=429) == []
    assert answer.json()["code"] == "rate_limited"
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert any(
        line.startswith(f'"{policy}";r=0;t=')
        for line in answer.headers.get_list("ratelimit")
    )


class TestFailedLogins:
    @pytest.mark.parametrize("known", [True, False], ids=["known", "unknown"])
    async def test_ten_are_judged_of_any_number_at_once(
        self, limited: FastAPI, *, known: bool
    ) -> None:
        email = new_email()
        if known:
            await account_with_password(limited, email=email)
        async with from_address(limited, "192.0.2.1") as client:
            answers = list(
                await asyncio.gather(*(sign_in(client, email) for _ in range(25)))
            )
            assert statuses(answers) == {400: 10, 429: 15}
            refused = [answer for answer in answers if answer.status_code == 429]
            assert_limited(refused[0], "login")
            # The right password does not help a guesser either.
            assert_limited(await sign_in(client, email.upper(), PASSWORD), "login")

    async def test_the_owner_signs_in_from_elsewhere_meanwhile(
        self, limited: FastAPI
    ) -> None:
        ada = await account_with_password(limited)
        async with from_address(limited, "192.0.2.2") as guesser:
            answers = [await sign_in(guesser, ada.user.email) for _ in range(11)]
            assert_limited(answers[-1], "login")
        async with from_address(limited, "192.0.2.3") as owner:
            answer = await sign_in(owner, ada.user.email, PASSWORD)
            assert answer.status_code == 200

    async def test_successes_do_not_count(self, limited: FastAPI) -> None:
        ada = await account_with_password(limited)
        async with from_address(limited, "192.0.2.4") as client:
            for _ in range(12):
                answer = await sign_in(client, ada.user.email, PASSWORD)
                assert answer.status_code == 200

    async def test_guesses_with_a_stolen_access_token_count(
        self, limited: FastAPI
    ) -> None:
        ada = await account_with_password(limited)
        stolen = ada.client.headers["authorization"]
        async with from_address(limited, "192.0.2.5", Authorization=stolen) as thief:
            body = {"current_password": WRONG, "new_password": PASSWORD}
            answers = [
                await thief.post("/api/v1/auth/change-password", json=body)
                for _ in range(5)
            ]
            answers += [
                await thief.post("/api/v1/auth/delete-account", json={"password": "x"})
                for _ in range(6)
            ]
            assert statuses(answers) == {400: 10, 429: 1}
            assert_limited(answers[-1], "login")


class TestAuthCalls:
    async def test_thirty_a_minute_pass_whatever_they_are(
        self, limited: FastAPI
    ) -> None:
        async with from_address(limited, "192.0.2.10") as client:
            answers = list(
                await asyncio.gather(
                    *(client.post(TOKEN) for _ in range(20)),
                    *(client.post("/api/v1/auth/register") for _ in range(20)),
                )
            )
            passed = [answer for answer in answers if answer.status_code != 429]
            assert len(passed) == 30
            left = {a.headers["ratelimit"].partition(";t=")[0] for a in passed}
            assert left == {f'"auth";r={n}' for n in range(30)}
            assert_limited(await client.get("/api/v1/auth/sessions"), "auth")
            assert (await client.get("/health")).status_code == 200
        async with from_address(limited, "192.0.2.11") as other:
            assert (await other.post(TOKEN)).status_code == 400

    async def test_one_network_of_ipv6_is_one_address(self, limited: FastAPI) -> None:
        for number in range(30):
            async with from_address(limited, f"2001:db8::{number:x}") as client:
                assert (await client.post(TOKEN)).status_code == 400
        async with from_address(limited, "2001:db8::ffff:1") as client:
            assert_limited(await client.post(TOKEN), "auth")
        async with from_address(limited, "2001:db8:0:1::1") as client:
            assert (await client.post(TOKEN)).status_code == 400

    async def test_who_writes_forwarding_headers_stays_who_they_are(
        self, limited: FastAPI
    ) -> None:
        async with from_address(limited, "192.0.2.12") as client:
            answers = []
            for number in range(31):
                headers = {
                    "X-Forwarded-For": f"198.51.100.{number}",
                    "X-Real-IP": f"198.51.100.{number}",
                    "Forwarded": f"for=198.51.100.{number}",
                }
                answers.append(await client.post(TOKEN, headers=headers))
            assert statuses(answers) == {400: 30, 429: 1}


async def test_behind_a_trusted_proxy_each_client_counts_for_itself(
    settings: Settings,
) -> None:
    changes = {"RATE_LIMIT_ENABLED": True, "TRUSTED_PROXIES": ["192.0.2.0/24"]}
    trusting = Settings.model_validate(settings.model_dump() | changes)
    async with (
        running(trusting) as app,
        from_address(app, "192.0.2.13") as proxy,
    ):
        for number in range(31):
            headers = {"X-Forwarded-For": f"1.2.3.4, 198.51.100.{number}"}
            answer = await proxy.post(TOKEN, headers=headers)
            assert answer.status_code == 400
        headers = {"X-Forwarded-For": "5.6.7.8, 198.51.100.1"}
        for _ in range(29):
            answer = await proxy.post(TOKEN, headers=headers)
            assert answer.status_code == 400
        assert_limited(await proxy.post(TOKEN, headers=headers), "auth")


class TestRequests:
    async def test_six_hundred_a_minute_pass_whatever_they_come_to(
        self, limited: FastAPI
    ) -> None:
        ada = await account_with_password(limited)
        first = await ada.client.get(ME)
        assert first.headers["ratelimit-policy"] == '"requests";q=600;w=60'
        assert first.headers["ratelimit"] == '"requests";r=599;t=60'
        answers = await self.ask(ada, times=599)
        assert statuses(answers) == {200: 599}
        known = {"If-None-Match": first.headers["etag"]}
        assert_limited(await ada.client.get(ME, headers=known), "requests")
        bob = await account_with_password(limited)
        assert (await bob.client.get(ME)).status_code == 200

    async def test_every_answer_tells_what_is_left(self, limited: FastAPI) -> None:
        ada = await account_with_password(limited)
        tag = (await ada.client.get(ME)).headers["etag"]
        for answer in (
            await ada.client.get(ME, headers={"If-None-Match": tag}),
            await ada.client.get(f"/api/v1/users/{'0' * 32}"),
            await ada.client.patch(ME, json={"full_name": None}),
            await ada.client.get("/api/v1/users"),
        ):
            assert answer.headers["ratelimit"].startswith('"requests";r=59')

    async def test_support_uses_nothing_of_a_user_up(self, limited: FastAPI) -> None:
        root = await account(limited, is_superuser=True)
        ada = await account(limited)
        support = await acting_as(limited, ada, root=root)
        left = []
        for url in (ME, f"/api/v1/organizations/{ada.user.id}"):
            answer = await support.client.get(url)
            left.append(answer.headers["ratelimit"].split(";")[1])
        assert left == ["r=598", "r=597"]
        answer = await ada.client.get(ME)
        assert answer.headers["ratelimit"] == '"requests";r=599;t=60'

    async def test_who_uses_a_stolen_token_up_does_not_keep_its_owner_out(
        self, limited: FastAPI
    ) -> None:
        ada = await account_with_password(limited)
        answers = await self.ask(ada, times=601)
        assert_limited(answers[-1], "requests")
        owner = await signed_in(limited, ada.user)
        assert_limited(await owner.client.get(ME), "requests")
        ended = await owner.client.delete("/api/v1/auth/sessions")
        assert ended.status_code == 204
        assert [line.split(";")[0] for line in ended.headers.get_list("ratelimit")] == [
            '"auth"'
        ]

    async def test_a_stolen_token_whose_session_has_ended_uses_nothing_up(
        self, limited: FastAPI
    ) -> None:
        ada = await account_with_password(limited)
        gone = ada.client.headers["authorization"]
        await ada.client.post("/api/v1/auth/logout")
        for _ in range(3):
            answer = await ada.client.get(ME, headers={"Authorization": gone})
            assert answer.status_code == 401
            assert "ratelimit" not in answer.headers

    async def ask(self, whose: Account, *, times: int) -> list[Response]:
        answers: list[Response] = []
        while len(answers) < times:
            some = min(20, times - len(answers))
            asked = (whose.client.get(ME) for _ in range(some))
            answers += await asyncio.gather(*asked)
        return answers
