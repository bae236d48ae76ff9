"""Who calls, from where, and how often they may."""

from hmac import compare_digest
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from app.db.repositories.sessions import SessionReader
from app.dependencies.database import SharedResources, resources_of
from app.errors import Forbidden, NotFound, Unauthorized
from app.headers import add_headers
from app.models.sessions import IP_MAX
from app.models.users import SignedInUser
from app.security.limits import AUTH, REQUESTS, Policy, client_key
from app.services.actor import Client
from app.services.authentication import Authentication

USER_AGENT_MAX = 500

_COUNTED = "zenith.counted"  # in the scope of a request that a limit has counted

oauth2_scheme = OAuth2PasswordBearer(
    tokenUrl="auth/token", refreshUrl="auth/token", auto_error=False
)


async def get_current_user(
    request: Request, token: Annotated[str | None, Depends(oauth2_scheme)]
) -> SignedInUser:
    """Authenticate the request, and count it."""
    if token is None:
        raise Unauthorized
    resources = resources_of(request)
    authentication = Authentication(
        resources.tokens, SessionReader(resources.reader), resources.sessions
    )
    user = await authentication.user_of(token, address=_address(request))
    # After the read: a token whose session has ended uses nothing of its owner's up.
    await _count(request, REQUESTS, str(user.id))
    return user


CurrentUser = Annotated[SignedInUser, Depends(get_current_user)]


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
