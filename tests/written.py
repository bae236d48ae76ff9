"""What requests have written: the trail and the outbox, past row-level security."""

from typing import Any

import asyncpg
from httpx2 import Response

from app.db.connections import Connection
from app.events.registry import TYPES
from tests.factories.organizations import Tenant

Row = asyncpg.Record

TRAIL = """
    SELECT *, xmin::text::bigint AS xid FROM audit_events
    WHERE request_id = $1 AND organization_id IS NOT NULL ORDER BY id
"""
OUTBOX = """
    SELECT *, xmin::text::bigint AS xid FROM outbox
    WHERE request_id = $1 ORDER BY position
"""


async def written(owner: Connection, answer: Response) -> tuple[list[Row], list[Row]]:
    """Return what a request has written; whatever it is, the two belong together."""
    request_id = answer.headers["x-request-id"]
    trail = await owner.fetch(TRAIL, request_id)
    outbox = await owner.fetch(OUTBOX, request_id)
    assert len({row["xid"] for row in (*trail, *outbox)}) <= 1
    for row, event in zip(trail, outbox, strict=True):
        assert event["type"] == row["action"]
        assert event["subject"] == row["target_id"]
        assert event["organization_id"] == row["organization_id"]
        assert event["transaction_id"] % 2**32 == event["xid"]
        assert_valid(event)
    return trail, outbox


def assert_valid(event: Row) -> None:
    """Check the data of an event against what its type promises."""
    kind = TYPES[event["type"]].data
    by_name = {"by_alias": False, "by_name": True, "strict": True, "extra": "forbid"}
    data = kind.model_validate_json(event["data"], **by_name)
    assert data.id == event["subject"]


async def trail(of: Tenant, look: Connection) -> list[tuple[Any, ...]]:
    """Return what was done in an organization, by whom and to what, in order."""
    rows = await look.fetch(
        "SELECT action, actor_type, actor_id, target_id FROM audit_events"
        " WHERE organization_id = $1 ORDER BY created_at, id",
        of.id,
    )
    return [tuple(row) for row in rows]


async def wrote(owner: Connection, answer: Response, status: int = 200) -> list[str]:
    """Return the actions that a request of this outcome has written, in order."""
    assert answer.status_code == status, answer.text
    trail, _ = await written(owner, answer)
    return [row["action"] for row in trail]
