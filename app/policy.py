"""Who may do what: the whole policy, as tables that people and tests can read.

Services ask for a permission in the first statement of each use case; the suite holds
every operation to the tables, which `docs/authorization.md` shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias


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


class Who(StrEnum):
    """Whom an operation is for, whatever organizations they belong to."""

    ANYBODY = "anybody"
    USER = "whoever has signed in"
    IN_PERSON = "whoever has signed in, in person"
    """Not a superuser who acts as the user for a while."""
    ONESELF = "oneself, and superusers"
    SUPERUSER = "superusers"
    SUPERUSER_UNSEEN = "superusers; for others there is no such account"


@dataclass(frozen=True, slots=True)
class Within:
    """An operation inside an organization: for members, and keys, with a permission."""

    permission: Permission
    keys: bool = True
    """Whether an API key will do, or it takes a person."""
    impersonators: bool = True
    """Whether a superuser may do it who acts as the person."""
    or_oneself: bool = False
    """Whether every member may do it about themselves."""


Rule: TypeAlias = Who | Within

OPERATIONS: Mapping[str, Rule] = {
    "get_health": Who.ANYBODY,
    "get_liveness": Who.ANYBODY,
    "get_readiness": Who.ANYBODY,
    "get_metrics": Who.ANYBODY,  # with METRICS_TOKEN, if that is set
    "get_jwks": Who.ANYBODY,
    "register": Who.ANYBODY,
    "issue_token": Who.ANYBODY,
    "verify_email": Who.ANYBODY,
    "forgot_password": Who.ANYBODY,
    "reset_password": Who.ANYBODY,
    "log_out": Who.USER,
    "get_sessions": Who.USER,
    "end_session": Who.IN_PERSON,
    "end_other_sessions": Who.IN_PERSON,
    "resend_verification": Who.IN_PERSON,
    "change_email": Who.IN_PERSON,
    "change_password": Who.IN_PERSON,
    "delete_account": Who.IN_PERSON,
    "get_own_user": Who.USER,
    "update_own_user": Who.USER,
    "get_profile": Who.USER,
    "update_profile": Who.USER,
    "get_avatar": Who.USER,
    "put_avatar": Who.USER,
    "delete_avatar": Who.USER,
    "export_own_data": Who.IN_PERSON,
    "get_user": Who.ONESELF,
    "update_user": Who.ONESELF,
    "get_users": Who.SUPERUSER,
    "create_user": Who.SUPERUSER,
    "delete_user": Who.SUPERUSER_UNSEEN,
    "impersonate_user": Who.SUPERUSER,
    "get_jobs": Who.SUPERUSER,
    "get_job": Who.SUPERUSER,
    "retry_job": Who.SUPERUSER,
    "discard_job": Who.SUPERUSER,
    "get_all_organizations": Who.SUPERUSER,
    "get_system_audit_events": Who.SUPERUSER,
    "get_organizations": Who.USER,
    "create_organization": Who.USER,
    "get_own_invitations": Who.USER,
    "accept_invitation": Who.IN_PERSON,
    "decline_invitation": Who.IN_PERSON,
    "get_organization": Within(_P.ORGANIZATION_READ),
    "update_organization": Within(_P.ORGANIZATION_WRITE),
    "delete_organization": Within(_P.ORGANIZATION_DELETE, impersonators=False),
    "transfer_organization": Within(
        _P.ORGANIZATION_TRANSFER, keys=False, impersonators=False
    ),
    "get_members": Within(_P.MEMBERS_READ),
    "update_member": Within(_P.MEMBERS_WRITE),
    "remove_member": Within(_P.MEMBERS_WRITE, or_oneself=True),
    "get_invitations": Within(_P.INVITATIONS_READ),
    "create_invitation": Within(_P.INVITATIONS_WRITE),
    "revoke_invitation": Within(_P.INVITATIONS_WRITE),
    "resend_invitation": Within(_P.INVITATIONS_WRITE),
    "get_api_keys": Within(_P.API_KEYS_READ),
    "create_api_key": Within(_P.API_KEYS_WRITE, keys=False, impersonators=False),
    "revoke_api_key": Within(_P.API_KEYS_WRITE, keys=False, impersonators=False),
    "get_audit_events": Within(_P.AUDIT_READ),
    "export_audit_events": Within(_P.AUDIT_READ),
}
"""Each operation of the API, by its id, and who may carry it out.

A superuser who is no member of an organization is a stranger to it like any other.
"""
