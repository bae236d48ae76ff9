"""A client that knows OAuth 2.0 and nothing of Zenith: Authlib's."""

import asyncio
from typing import Any

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from tests.conftest import BASE_URL, CLIENT
from tests.factories.users import PASSWORD
from tests.routers.test_auth import TOKEN, signed_up

ME = "/api/v1/users/me"


def client_of(app: FastAPI, **options: Any) -> AsyncOAuth2Client:
    return AsyncOAuth2Client(
        transport=ASGITransport(app, client=CLIENT),
        base_url=BASE_URL,
        token_endpoint=TOKEN,
        **options,
    )


async def sign_in(oauth: AsyncOAuth2Client, email: str) -> None:
    await oauth.fetch_token(username=email, password=PASSWORD)


@pytest.fixture
async def email(client: AsyncClient) -> str:
    email: str = (await signed_up(client))["email"]
    return email


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"client_id": "app", "token_endpoint_auth_method": "none"},
        {"client_id": "app", "client_secret": "x"},
        {
            "client_id": "app",
            "client_secret": "x",
            "token_endpoint_auth_method": "client_secret_post",
        },
        {"client_id": "app", "scope": "openid profile"},
    ],
    ids=["no client", "public", "basic", "post", "scope"],
)
async def test_it_fetches_a_token_and_is_let_in(
    app: FastAPI, email: str, options: dict[str, str]
) -> None:
    async with client_of(app, **options) as oauth:
        await sign_in(oauth, email)
        assert (await oauth.get(ME)).json()["email"] == email


async def test_it_refreshes_by_itself_again_and_again(app: FastAPI, email: str) -> None:
    updated = []

    async def update(token: dict[str, Any], **_: Any) -> None:
        updated.append(token["refresh_token"])

    async with client_of(app, update_token=update) as oauth:
        await sign_in(oauth, email)
        for _ in range(3):
            oauth.token["expires_at"] = 1
            assert (await oauth.get(ME)).status_code == 200
    assert len(set(updated)) == 3


async def test_many_that_share_a_token_refresh_it_at_once(
    app: FastAPI, email: str
) -> None:
    async with client_of(app) as oauth:
        await sign_in(oauth, email)
        shared = dict(oauth.token)
    tabs = [client_of(app, token={**shared, "expires_at": 1}) for _ in range(20)]
    answers = await asyncio.gather(*(tab.get(ME) for tab in tabs))
    assert {answer.status_code for answer in answers} == {200}
    assert len({tab.token["refresh_token"] for tab in tabs}) == 1
    for tab in tabs:
        await tab.aclose()


async def test_it_understands_what_went_wrong(app: FastAPI, email: str) -> None:
    async with client_of(app) as oauth:
        with pytest.raises(OAuthError, match="invalid_grant"):
            await oauth.fetch_token(username=email, password="not the password")
        with pytest.raises(OAuthError, match="invalid_grant"):
            await oauth.refresh_token(TOKEN, refresh_token="zrt_x")
