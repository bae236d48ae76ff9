"""Superusers who act as somebody else."""

from dataclasses import replace

from fastapi import FastAPI
from httpx2 import Response

from tests.conftest import client_of
from tests.factories.users import Account, account


def impersonate_url(whose: Account) -> str:
    return f"/api/v1/admin/users/{whose.user.id}/impersonate"


async def impersonate(root: Account, whose: Account) -> Response:
    return await root.client.post(impersonate_url(whose))


async def acting_as(
    app: FastAPI, whose: Account, *, root: Account | None = None
) -> Account:
    """Let a superuser, who is somebody new unless given, act as a user."""
    root = root or await account(app, is_superuser=True)
    answer = await impersonate(root, whose)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    client = client_of(app, Authorization=f"Bearer {token}")
    return replace(whose, token=token, client=client)
