"""Who may do what: the whole policy, as tables that people and tests can read.

Services ask for a permission in the first statement of each use case; the suite holds
every operation to the tables, which `docs/authorization.md` shows.
"""

from collections.abc import Mapping
from enum import StrEnum


class Permission(StrEnum):
    """What can be done in an organization; the scope of an API key is one of these."""

    ORGANIZATION_READ = "organization:read"
    ORGANIZATION_WRITE = "organization:write"
    ORGANIZATION_DELETE = "organization:delete"
    ORGANIZATION_TRANSFER = "organization:transfer"
    MEMBERS_READ = "members:read"
    MEMBERS_WRITE = "members:write"
    INVITATIONS_READ = "invitations:read"
    INVITATIONS_WRITE = "invitations:write"
    API_KEYS_READ = "api-keys:read"
    API_KEYS_WRITE = "api-keys:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"
    AUDIT_READ = "audit:read"
    PRODUCTS_READ = "products:read"
    PRODUCTS_WRITE = "products:write"
    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"


class Role(StrEnum):
    """What somebody is in an organization, from the least to the most."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"
    OWNER = "owner"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    @property
    def permissions(self) -> frozenset[Permission]:
        return GRANTS[self]


_P = Permission
_VIEWER = frozenset(
    {_P.ORGANIZATION_READ, _P.MEMBERS_READ, _P.PRODUCTS_READ, _P.ORDERS_READ}
)
_MEMBER = _VIEWER | {_P.PRODUCTS_WRITE, _P.ORDERS_WRITE}
_ADMIN = _MEMBER | {
    _P.ORGANIZATION_WRITE,
    _P.MEMBERS_WRITE,
    _P.INVITATIONS_READ,
    _P.INVITATIONS_WRITE,
    _P.API_KEYS_READ,
    _P.API_KEYS_WRITE,
    _P.WEBHOOKS_READ,
    _P.WEBHOOKS_WRITE,
    _P.AUDIT_READ,
}
_OWNER = _ADMIN | {_P.ORGANIZATION_DELETE, _P.ORGANIZATION_TRANSFER}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.MEMBER: _MEMBER,
    Role.ADMIN: _ADMIN,
    Role.OWNER: _OWNER,
}
"""The permissions of each role."""
