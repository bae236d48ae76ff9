"""Who sends the requests of the contract's tests, and what is theirs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi import FastAPI

from tests.contract.operations import Operation
from tests.factories.organizations import Tenant, tenant
from tests.factories.users import Account, account_with_password

SECRET = "zq7Xw4-marker-of-the-input"  # no answer may hold it


PASSWORD = f"{SECRET} and correct horse"

FOR_SUPERUSERS = {
    "get_users",
    "create_user",
    "delete_user",
    "get_jobs",
    "get_job",
    "retry_job",
    "discard_job",
    "get_all_organizations",
    "impersonate_user",
    "get_system_audit_events",
}
ONCE = {
    "log_out",
    "end_session",
    "delete_user",
    "discard_job",
    "delete_organization",
    "transfer_organization",
    "remove_member",
    "accept_invitation",
    "decline_invitation",
    "revoke_api_key",
}
"""What cannot be done a second time."""


@dataclass(frozen=True)
class Scene:
    """Somebody, and what is theirs."""

    app: FastAPI
    caller: Account
    tenants: list[Tenant] = field(default_factory=list)

    async def tenant(self) -> Tenant:
        """An organization that the caller owns, once there is need of one."""
        if not self.tenants:
            self.tenants.append(await tenant(self.app, owner=self.caller))
        return self.tenants[0]

    async def within(self, **path: str) -> dict[str, str]:
        """The ids of a path below the organization."""
        return {"organization_id": str((await self.tenant()).id), **path}


@dataclass(frozen=True)
class Sample:
    """A request that is valid but for what a test changes."""

    body: dict[str, Any] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    file: bytes = b""
    """The body of an operation that reads no JSON; PNG."""


async def scene_of(app: FastAPI, operation: Operation | None = None) -> Scene:
    """Sign somebody in who may use the operation."""
    superuser = operation is not None and operation.id in FOR_SUPERUSERS
    caller = await account_with_password(app, password=PASSWORD, is_superuser=superuser)
    return Scene(app, caller)


Samples: TypeAlias = Mapping[str, Callable[[Scene], Awaitable[Sample]]]
"""The valid request of each operation, by its id."""
