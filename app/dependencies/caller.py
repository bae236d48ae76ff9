"""Who calls, from where, and how often they may."""

from hmac import compare_digest
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Request
from fastapi.security import APIKeyHeader, OAuth2PasswordBearer
from starlette.requests import HTTPConnection
from typing_extensions import override

from app.db.repositories.api_keys import PresentedKeyReader
from app.db.repositories.sessions import SessionReader
from app.db.tenancy import Author, Context, bind
from app.dependencies.database import DBSession, SharedResources, resources_of
from app.errors import (
    AmbiguousCredentials,
    Forbidden,
    NotFound,
    Unauthorized,
    UserRequired,
)
from app.headers import add_headers
from app.models.api_keys import SignedInKey
from app.models.sessions import IP_MAX
from app.models.users import SignedInUser
from app.policy import Role
from app.security.limits import AUTH, REQUESTS, Policy, client_key
from app.services.actor import Actor, Client, Place, no_key, no_organization
from app.services.authentication import Authentication

USER_AGENT_MAX = 500

_COUNTED = "zenith.counted"  # in the scope of a request that a limit has counted


class KeyHeader(APIKeyHeader):
    """The header of an API key: an empty one counts as sent, and two are no key."""

    @override
    async def __call__(self, request: HTTPConnection) -> str | None:
        lines = request.headers.getlist(self.model.name)
        return ", ".join(lines) if lines else None


oauth2_scheme = OAuth2PasswordBearer(
    tokenUrl="auth/token", refreshUrl="auth/token", auto_error=False
)
api_key_scheme = KeyHeader(
    name="X-API-Key",
    scheme_name=APIKeyHeader.__name__,
    auto_error=False,
    description="A key of an organization, for programs: instead of a token.",
)
Token = Annotated[str | None, Depends(oauth2_scheme)]
Key = Annotated[str | None, Depends(api_key_scheme)]


async def verify_api_key(request: Request, key: Key) -> SignedInKey:
    """Authenticate a program by its key, and count the request.

    A router all of whose routes are for programs names it among its dependencies.
    """
    if key is None:
        raise no_key()
    _require_one(await oauth2_scheme(request), key)
    signed_in = await _authentication(request).key_of(key)
    await _count(request, REQUESTS, f"key {signed_in.id}")
    return signed_in


async def get_current_user(request: Request, token: Token) -> SignedInUser:
    """Authenticate a person, and count the request."""
    key = await api_key_scheme(request)  # past FastAPI, which would offer it to clients
    _require_one(token, key)
    if token is None:
        await verify_api_key(request, key)
        raise UserRequired("This takes a person who has signed in, and no key.")
    user = await _authentication(request).user_of(token, address=_address(request))
    # After the read: a token whose session has ended uses nothing of its owner's up.
    await _count(request, REQUESTS, _person(user))
    return user


CurrentUser = Annotated[SignedInUser, Depends(get_current_user)]


async def get_actor(request: Request, user: CurrentUser, session: DBSession) -> Actor:
    """Let somebody act on their own behalf, wherever they are a member."""
    author = _author(user, request)
    bind(session, Context(user_id=user.id, author=author))
    return Actor(user)


async def get_organization_actor(
    request: Request,
    session: DBSession,
    organization_id: Annotated[UUID, Path()],
    token: Token,
    key: Key,
) -> Actor:
    """Let a member, or a key of theirs, act inside the organization of the path.

    To everybody else it does not exist.
    """
    _require_one(token, key)
    if token is None:
        signed_in = await verify_api_key(request, key)
        actor = Actor(signed_in, _place_of_key(signed_in, organization_id))
    else:
        member = await _authentication(request).member_of(
            token, organization_id, address=_address(request)
        )
        await _count(request, REQUESTS, _person(member))
        actor = Actor(member, _place(organization_id, member.role))
    author = _author(actor.caller, request)
    bind(session, Context(organization_id, author=author))
    return actor


CurrentActor = Annotated[Actor, Depends(get_actor)]
OrganizationActor = Annotated[Actor, Depends(get_organization_actor)]


def _require_one(token: str | None, key: str | None) -> None:
    if token is not None and key is not None:
        raise AmbiguousCredentials("Send an access token or an API key, not both.")
    if token is None and key is None:
        raise Unauthorized


def _place(organization_id: UUID, name: str | None) -> Place:
    if name is None:
        raise no_organization()
    role = Role(name)
    return Place(organization_id, role, role.permissions)


def _place_of_key(key: SignedInKey, organization_id: UUID) -> Place:
    if key.organization_id != organization_id:
        raise no_organization()
    role = Role(key.role)
    # What its creator may no longer do, it may do no longer. A scope may be one that
    # only a newer version of this program knows, which has made the key.
    scopes = frozenset(p for p in role.permissions if p in key.scopes)
    return Place(organization_id, role, scopes)


def _author(caller: SignedInUser | SignedInKey, request: Request) -> Author:
    ip = _address(request)
    if isinstance(caller, SignedInKey):
        return Author("api_key", caller.id, label=caller.name, ip=ip)
    impersonator_id = caller.impersonator_id
    return Author("user", caller.id, impersonator_id=impersonator_id, ip=ip)


def _person(user: SignedInUser) -> str:
    """Return who really asks, that support uses nothing of a user's limit up."""
    return str(user.impersonator_id or user.id)


def _authentication(request: Request) -> Authentication:
    resources = resources_of(request)
    return Authentication(
        tokens=resources.tokens,
        api_keys=resources.api_keys,
        reader=SessionReader(resources.reader),
        keys=PresentedKeyReader(resources.reader),
        sessions=resources.sessions,
    )


async def get_current_superuser(user: CurrentUser) -> SignedInUser:
    """Refuse others before the body is judged; the use case asks once more."""
    if not user.is_superuser:
        raise Forbidden("Only a superuser may do this.")
    return user


CurrentSuperuser = Annotated[SignedInUser, Depends(get_current_superuser)]
SuperusersOnly = Depends(get_current_superuser)


async def get_client(request: Request) -> Client:
    user_agent = request.headers.get("user-agent", "")[:USER_AGENT_MAX]
    return Client(_address(request), user_agent)


CurrentClient = Annotated[Client, Depends(get_client)]


async def limit_auth_calls(request: Request) -> None:
    """Count a call by its address, and by nothing else.

    Whoever uses a stolen token up must not keep its owner from ending the session.
    """
    await _count(request, AUTH, client_key(_address(request)))


AuthLimit = Depends(limit_auth_calls)


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


MetricsAccess = Depends(verify_metrics_token)


async def _count(request: Request, policy: Policy, who: str) -> None:
    """Count a request once, by the first limit that asks, also if it is run again."""
    if _COUNTED in request.scope:
        return
    request.scope[_COUNTED] = True
    standing = await resources_of(request).limiter.hit(policy, who)
    add_headers(request.scope, standing.headers())


def _address(request: Request) -> str | None:
    """Return the peer's address, or whom a trusted proxy names, if there is one."""
    host = request.client.host if request.client else ""
    return host[:IP_MAX] or None
