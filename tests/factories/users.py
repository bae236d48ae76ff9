"""Users."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.models.users import User
from tests.conftest import client_of

PASSWORD = "correct horse battery staple"
_number = count(1)


def new_email() -> str:
    return f"user-{uuid4().hex[:12]}@example.com"


def registration(**given: Any) -> dict[str, Any]:
    """The body of a sign-up; say only what the test is about."""
    name = f"Person {next(_number)}"
    return {"email": new_email(), "password": PASSWORD, "full_name": name, **given}


def user(**given: Any) -> User:
    """A valid user, whose password is nobody's; say only what the test is about."""
    name = f"Person {next(_number)}"
    defaults = {"email": new_email(), "full_name": name, "password_hash": "!"}
    return User(**{**defaults, **given})


@dataclass(frozen=True)
class Account:
    """Somebody who is signed in."""

    user: User
    token: str
    client: AsyncClient


async def account(app: FastAPI, **given: Any) -> Account:
    """Store a user and sign them in."""
    resources = app.state.resources
    row = user(**given)
    async with resources.sessions.begin() as session:
        session.add(row)
    token = resources.tokens.issue(row.id)
    client = client_of(app, Authorization=f"Bearer {token}")
    return Account(row, token, client)
