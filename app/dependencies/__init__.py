"""What a request needs, built once: the only package that wires layers together."""

from app.dependencies.answers import (
    GrantForm,
    IfMatchHeader,
    Located,
    Revalidated,
    Tagged,
)
from app.dependencies.caller import (
    AuthLimit,
    CurrentSuperuser,
    CurrentUser,
    MetricsAccess,
    SuperusersOnly,
    get_current_superuser,
    get_current_user,
    oauth2_scheme,
)
from app.dependencies.database import (
    DBSession,
    SharedResources,
    get_db,
)
from app.dependencies.services import Accounts, Auth, Health, Sessions, Tokens, Users

__all__ = [
    "Accounts",
    "Auth",
    "AuthLimit",
    "CurrentSuperuser",
    "CurrentUser",
    "DBSession",
    "GrantForm",
    "Health",
    "IfMatchHeader",
    "Located",
    "MetricsAccess",
    "Revalidated",
    "Sessions",
    "SharedResources",
    "SuperusersOnly",
    "Tagged",
    "Tokens",
    "Users",
    "get_current_superuser",
    "get_current_user",
    "get_db",
    "oauth2_scheme",
]
