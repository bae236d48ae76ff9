"""Audit events, of which there are some after any change."""

from collections.abc import Sequence
from typing import Any

from httpx2 import AsyncClient

from tests.factories.organizations import Tenant
from tests.factories.users import Account

Event = dict[str, Any]


async def changed(of: Tenant, *names: str) -> None:
    """Let the owner give an organization these names, one after the other."""
    for name in names:
        answer = await of.owner.client.patch(of.path, json={"name": name})
        assert answer.status_code == 200, answer.text


async def account_changed(by: Account, other: Account) -> None:
    """Let a superuser switch an account off, and on again."""
    for is_active in (False, True):
        path = f"/api/v1/users/{other.user.id}"
        answer = await by.client.patch(path, json={"is_active": is_active})
        assert answer.status_code == 200, answer.text


async def events_of(of: Tenant, **query: str | int) -> Sequence[Event]:
    """Read the trail of an organization as its owner, the newest first."""
    return await _items(of.owner.client, f"{of.path}/audit-events", query)


async def system_events(by: Account, **query: str | int) -> Sequence[Event]:
    """Read the trail of the whole system as a superuser, the newest first."""
    return await _items(by.client, "/api/v1/admin/audit-events", query)


def labels(event: Event) -> list[str | None]:
    """Return the names of who did it, who did it as them, and what was changed."""
    impersonator = event["impersonator"] or {"label": None}
    return [one["label"] for one in (event["actor"], impersonator, event["target"])]


async def _items(
    client: AsyncClient, path: str, query: dict[str, str | int]
) -> Sequence[Event]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    items: Sequence[Event] = answer.json()["items"]
    return items
