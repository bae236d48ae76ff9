"""The token endpoint's errors: those of RFC 6749 (5.2), and problems as well."""

from typing import Any
from urllib.parse import urlencode

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from tests.conftest import client_of
from tests.contract.answers import complaints
from tests.routers.test_auth import FORM, TOKEN, grant, signed_up


def assert_oauth_error(answer: Response, error: str) -> None:
    assert complaints(answer, status=400) == []
    document = answer.json()
    assert document["error"] == document["code"] == error
    assert document["error_description"] == document["detail"]
    assert answer.headers["cache-control"] == "no-store"


class TestTokenErrors:
    @pytest.mark.parametrize(
        ("form", "error"),
        [
            ("", "invalid_request"),
            ("grant_type=", "invalid_request"),
            ("username=a&password=b", "invalid_request"),
            ("grant_type=password", "invalid_request"),
            ("grant_type=password&username=a", "invalid_request"),
            ("grant_type=password&username=a&password=", "invalid_request"),
            ("grant_type=password&username=&password=b", "invalid_request"),
            ("grant_type=password&password=b", "invalid_request"),
            ("grant_type=password&grant_type=password", "invalid_request"),
            (
                "grant_type=password&username=a&username=b&password=c",
                "invalid_request",
            ),
            ("grant_type=password&username=%ff&password=b", "invalid_request"),
            ("grant_type=password&username=%ED%A0%80&password=b", "invalid_request"),
            ("&".join(f"a{i}=1" for i in range(101)), "invalid_request"),
            ("\xff", "invalid_request"),
            (
                "grant_type=password&username=a&password=" + "%41" * 11_000,
                "invalid_request",
            ),
            ("{}", "invalid_request"),
            ("grant_type=client_credentials", "unsupported_grant_type"),
            ("grant_type=authorization_code&code=x", "unsupported_grant_type"),
            ("grant_type=Password&username=a&password=b", "unsupported_grant_type"),
            ("grant_type=%00&username=a&password=b", "unsupported_grant_type"),
            ("grant_type=password&username=a&password=b", "invalid_grant"),
            ("grant_type=password&username=%00&password=%00", "invalid_grant"),
            ("grant_type=password&username=a%00@b.c&password=b", "invalid_grant"),
            (
                "grant_type=password&username=' OR 1=1--@b.c&password=b",
                "invalid_grant",
            ),
            (
                f"grant_type=password&username={'a' * 9000}&password={'b' * 9000}",
                "invalid_grant",
            ),
        ],
    )
    async def test_every_fault_is_an_error_of_oauth(
        self, client: AsyncClient, form: str, error: str
    ) -> None:
        content = form.encode("latin-1")
        answer = await client.post(
            TOKEN, content=content, headers={"Content-Type": FORM}
        )
        assert_oauth_error(answer, error)

    @pytest.mark.parametrize(
        "media_type",
        [None, "", "application/json", "multipart/form-data", "text/plain"],
    )
    async def test_another_type_of_body_is_one_of_them(
        self, client: AsyncClient, media_type: str | None
    ) -> None:
        headers = {} if media_type is None else {"Content-Type": media_type}
        content = urlencode(grant("a@example.com"))
        answer = await client.post(TOKEN, content=content, headers=headers)
        assert_oauth_error(answer, "invalid_request")

    async def test_a_compressed_form_is_one_of_them(self, client: AsyncClient) -> None:
        new = await signed_up(client)
        headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
        content = urlencode(grant(new["email"]))
        answer = await client.post(TOKEN, content=content, headers=headers)
        assert_oauth_error(answer, "invalid_request")

    async def test_credentials_in_the_url_are_not_read(
        self, client: AsyncClient
    ) -> None:
        new = await signed_up(client)
        url = f"{TOKEN}?{urlencode(grant(new['email']))}"
        headers = {"Content-Type": FORM}
        assert_oauth_error(await client.post(url, headers=headers), "invalid_request")


async def test_a_client_that_leaves_in_the_middle_is_no_fault_of_ours(
    app: FastAPI,
) -> None:
    messages = iter(
        [
            {"type": "http.request", "body": b"grant_", "more_body": True},
            {"type": "http.disconnect"},
        ]
    )
    statuses = []

    async def leave(scope: Any, _: Any, send: Any) -> None:
        async def receive() -> Any:
            return next(messages)

        async def note(message: Any) -> None:
            statuses.append(message.get("status"))
            await send(message)

        await app(scope, receive, note)

    async with client_of(leave) as client:  # type: ignore[arg-type]  # an ASGI application
        await client.post("/api/v1/auth/token", data={"grant_type": "password"})
    assert statuses[0] == 400
