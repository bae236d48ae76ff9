"""Users."""

from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

from fastapi import FastAPI
from httpx2 import AsyncClient

from app.models.sessions import UserSession
from app.models.users import User
from tests.conftest import client_of
from tests.factories.sessions import user_session

PASSWORD = "correct horse battery staple"
_number = count(1)
_hashes: dict[str, str] = {}


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
    session: UserSession
    token: str
    client: AsyncClient


async def account(app: FastAPI, **given: Any) -> Account:
    """Store a user, whose password is nobody's, and sign them in."""
    row = user(**given)
    async with app.state.resources.sessions.begin() as session:
        session.add(row)
    return await signed_in(app, row)


async def account_with_password(
    app: FastAPI, password: str = PASSWORD, **given: Any
) -> Account:
    """Store a user who knows their password and sign them in."""
    return await account(app, password_hash=await hash_of(app, password), **given)


async def hash_of(app: FastAPI, password: str) -> str:
    """Hash a password, once in a run: that takes long, by design."""
    if password not in _hashes:
        _hashes[password] = await app.state.resources.passwords.hash(password)
    return _hashes[password]


async def signed_in(app: FastAPI, row: User) -> Account:
    """Begin one more session of a stored user."""
    found = new_account(app, row)
    async with app.state.resources.sessions.begin() as session:
        session.add(found.session)
    return found


def new_account(app: FastAPI, row: User, **given: Any) -> Account:
    """Make somebody, whose rows are still to be stored; ``given`` is of the session."""
    begun = user_session(row.id, **given)
    token = app.state.resources.tokens.issue(row.id, session_id=begun.id).text
    client = client_of(app, Authorization=f"Bearer {token}")
    return Account(row, begun, token, client)
