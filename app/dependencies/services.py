"""The use cases, each with what it needs."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends

from app.db.repositories.sessions import SessionReader
from app.db.repositories.users import UserReader
from app.dependencies.caller import CurrentClient, CurrentUser
from app.dependencies.database import DBSession, SharedResources
from app.resources import Resources
from app.services.accounts import AccountService
from app.services.actor import Actor
from app.services.auth import AuthService
from app.services.health import HealthService
from app.services.new_users import NewUsers
from app.services.sessions import SessionService
from app.services.tokens import TokenService
from app.services.users import UserService


async def get_auth(session: DBSession, resources: SharedResources) -> AuthService:
    return AuthService(session, _new_users(resources))


async def get_tokens(
    session: DBSession, resources: SharedResources, client: CurrentClient
) -> TokenService:
    return TokenService(
        session=session,
        users=UserReader(resources.reader),
        passwords=resources.passwords,
        access_tokens=resources.tokens,
        refresh_tokens=resources.refresh_tokens,
        lifetime=timedelta(days=resources.settings.REFRESH_TOKEN_EXPIRE_DAYS),
        limiter=resources.limiter,
        client=client,
    )


async def get_sessions(
    session: DBSession, resources: SharedResources, user: CurrentUser
) -> SessionService:
    return SessionService(session, SessionReader(resources.reader), Actor(user))


async def get_accounts(
    session: DBSession,
    resources: SharedResources,
    user: CurrentUser,
    client: CurrentClient,
) -> AccountService:
    return AccountService(
        session=session,
        reader=UserReader(resources.reader),
        passwords=resources.passwords,
        limiter=resources.limiter,
        client=client,
        actor=Actor(user),
        service_name=resources.settings.PROJECT_NAME,
    )


async def get_users(
    session: DBSession, resources: SharedResources, user: CurrentUser
) -> UserService:
    return UserService(
        session=session,
        reader=UserReader(resources.reader),
        new_users=_new_users(resources),
        actor=Actor(user),
    )


async def get_health(resources: SharedResources) -> HealthService:
    return HealthService(resources.reader, resources.redis)


def _new_users(resources: Resources) -> NewUsers:
    return NewUsers(resources.passwords, resources.settings.PROJECT_NAME)


Auth = Annotated[AuthService, Depends(get_auth)]
Tokens = Annotated[TokenService, Depends(get_tokens)]
Sessions = Annotated[SessionService, Depends(get_sessions)]
Accounts = Annotated[AccountService, Depends(get_accounts)]
Users = Annotated[UserService, Depends(get_users)]
Health = Annotated[HealthService, Depends(get_health)]
