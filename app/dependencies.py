"""What a request needs, built once: the only module that wires layers together."""

from collections.abc import AsyncIterator
from hmac import compare_digest
from typing import Annotated, Protocol, TypeVar
from uuid import UUID

from fastapi import Depends, Request, Response
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.users import UserReader
from app.errors import NotFound, Unauthorized
from app.models.users import UserRow
from app.resources import Resources
from app.schemas.auth import TokenRequest
from app.services.actor import Actor
from app.services.auth import AuthService
from app.services.health import HealthService
from app.services.users import UserService
from app.web.forms import read_token_request


async def get_resources(request: Request) -> Resources:
    resources: Resources = request.app.state.resources
    return resources


async def get_db(request: Request) -> AsyncIterator[AsyncSession]:
    """One request, one transaction: commit on return, roll back on an error."""
    resources: Resources = request.app.state.resources
    async with resources.sessions.begin() as session:
        yield session


# scope="function" commits BEFORE the response is sent: with FastAPI's default scope a
# client would read "201 Created" of a row whose commit then fails.
DBSession = Annotated[AsyncSession, Depends(get_db, scope="function")]
SharedResources = Annotated[Resources, Depends(get_resources)]

oauth2_scheme = OAuth2PasswordBearer(tokenUrl="auth/token", auto_error=False)


async def get_current_user(
    resources: SharedResources, token: Annotated[str | None, Depends(oauth2_scheme)]
) -> UserRow:
    """Authenticate the request; who was switched off is refused at once."""
    if token is None:
        raise Unauthorized
    claims = resources.tokens.verify(token)
    user = await UserReader(resources.reader).find(claims.user_id)
    if user is None or not user.is_active:
        raise Unauthorized
    return user


CurrentUser = Annotated[UserRow, Depends(get_current_user)]


async def get_auth(session: DBSession, resources: SharedResources) -> AuthService:
    return AuthService(
        session=session,
        users=UserReader(resources.reader),
        passwords=resources.passwords,
        tokens=resources.tokens,
        settings=resources.settings,
    )


async def get_users(
    session: DBSession, resources: SharedResources, user: CurrentUser
) -> UserService:
    return UserService(session, UserReader(resources.reader), Actor(user))


async def get_health(resources: SharedResources) -> HealthService:
    return HealthService(resources.reader)


async def verify_metrics_token(request: Request, resources: SharedResources) -> None:
    """Keep metrics to those who have the token; production shows none without one."""
    token = resources.settings.METRICS_TOKEN
    if token is None:
        if resources.settings.in_production:
            raise NotFound("There is nothing at this path.")
        return
    given = request.headers.get("authorization", "").encode()
    if not compare_digest(given, f"Bearer {token.get_secret_value()}".encode()):
        raise Unauthorized


class HasId(Protocol):
    @property
    def id(self) -> UUID: ...


R = TypeVar("R", bound=HasId)


class Created:
    """Tells in the ``Location`` header where a new resource is."""

    def __init__(self, response: Response, resources: Resources) -> None:
        self._headers = response.headers
        self._root = resources.settings.API_V1_STR

    def __call__(self, row: R, *, below: str) -> R:
        self._headers["Location"] = f"{self._root}{below}/{row.id}"
        return row


async def get_created(response: Response, resources: SharedResources) -> Created:
    return Created(response, resources)


Auth = Annotated[AuthService, Depends(get_auth)]
Users = Annotated[UserService, Depends(get_users)]
Health = Annotated[HealthService, Depends(get_health)]
MetricsAccess = Depends(verify_metrics_token)
Located = Annotated[Created, Depends(get_created)]
TokenForm = Annotated[TokenRequest, Depends(read_token_request)]
