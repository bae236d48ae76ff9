"""The audit trail as a file."""

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from app.models.changes import AuditRow
from app.policy import Role
from tests.conftest import client_of, running, settings_for
from tests.databases import Databases
from tests.factories.audit_events import changed, events_of
from tests.factories.organizations import Tenant, member, tenant

Row = dict[str, str]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file be of more than one batch."""
    monkeypatch.setattr("app.services.audit_events.BATCH", 2)


async def exported(of: Tenant, **query: str) -> list[Row]:
    path = f"{of.path}/audit-events/export"
    answer = await of.owner.client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    text = io.StringIO(answer.content.decode(), newline="")
    return list(csv.DictReader(text, strict=True))


class Reader:
    """Reads an export as ASGI tells it; goes away after so many pieces."""

    def __init__(self, app: FastAPI, of: Tenant, *, until: int | None = None) -> None:
        self._app, self._of, self._until = app, of, until
        self._asked, self._left = False, asyncio.Event()
        self.pieces = 0
        self.seen: list[tuple[int, int]] = []
        """Connections in use whenever there was a piece."""
        self.meanwhile: Callable[[], Awaitable[Any]] | None = None
        """What happens between the first and the second piece."""

    async def read(self) -> None:
        path = f"{self._of.path}/audit-events/export"
        token = f"Bearer {self._of.owner.token}".encode()
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), (b"authorization", token)],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if not message.get("body"):
            return
        self.pieces += 1
        resources = self._app.state.resources
        self.seen.append((resources.connections_in_use, resources.reader.in_use))
        if self.pieces == 1 and self.meanwhile:
            await self.meanwhile()
        if self.pieces == self._until:
            self._left.set()
            await asyncio.sleep(0)  # as a server does, which waits for the socket


class TestExportAuditEvents:
    @pytest.mark.usefixtures("few")
    async def test_has_every_event_once_the_newest_first(self, app: FastAPI) -> None:
        one = await tenant(app)
        assert await exported(one) == []
        for count in range(1, 6):
            await changed(one, f"Name {count}")
            rows = await exported(one)
            assert [row["target_label"] for row in rows] == [
                f"Name {number}" for number in range(count, 0, -1)
            ]

    async def test_tells_what_the_list_tells(self, app: FastAPI) -> None:
        one = await tenant(app)
        await changed(one, "Ada, Ltd")
        (row,), (event,) = await exported(one), await events_of(one)
        assert list(row) == list(AuditRow.__dataclass_fields__)
        assert json.loads(row["changes"]) == event["changes"]
        for name in ("id", "action", "request_id", "ip", "created_at"):
            assert row[name] == event[name]
        for name in ("actor", "target"):
            for part, value in event[name].items():
                assert row[f"{name}_{part}"] == value
        assert (row["impersonator_id"], row["impersonator_label"]) == ("", "")

    async def test_is_a_file_to_keep(self, app: FastAPI) -> None:
        one = await tenant(app)
        answer = await one.owner.client.get(f"{one.path}/audit-events/export")
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert answer.headers["content-disposition"] == (
            'attachment; filename="audit-events.csv"'
        )
        assert answer.headers["cache-control"] == "no-store"
        assert answer.text == ",".join(AuditRow.__dataclass_fields__) + "\r\n"

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "\uff1d1", "\uff20a"])
    async def test_runs_nothing(self, app: FastAPI, name: str) -> None:
        one = await tenant(app)
        await changed(one, name)
        (row,) = await exported(one)
        assert row["target_label"] == f"'{name}"
        assert json.loads(row["changes"])["name"]["to"] == name

    @pytest.mark.usefixtures("few")
    async def test_is_filtered_as_the_list(self, app: FastAPI) -> None:
        one = await tenant(app)
        other = await member(app, one)
        await changed(one, "A", "B", "C")
        for role in ("viewer", "admin", "member"):
            path = f"{one.path}/members/{other.user.id}"
            await one.owner.client.patch(path, json={"role": role})
        third = (await events_of(one))[3]["created_at"]
        queries: list[dict[str, str]] = [
            {"action": "member.updated"},
            {"target_id": str(other.user.id)},
            {"target_type": "organization"},
            {"actor_id": str(one.owner.user.id)},
            {"created_after": third},
            {"created_before": third, "target_type": "organization"},
        ]
        for query in queries:
            expected = [event["id"] for event in await events_of(one, **query)]
            assert len(expected) >= 2
            assert [row["id"] for row in await exported(one, **query)] == expected

    @pytest.mark.usefixtures("few")
    async def test_ends_when_its_reader_goes_away(self, app: FastAPI) -> None:
        one = await tenant(app)
        await changed(one, *(f"Name {number}" for number in range(12)))
        patient, hasty = Reader(app, one), Reader(app, one, until=2)
        await patient.read()
        await hasty.read()
        assert (patient.pieces, hasty.pieces < 6) == (6, True)
        # And nothing was held while a piece was on its way.
        assert set(patient.seen + hasty.seen) == {(0, 0)}

    @pytest.mark.usefixtures("few")
    async def test_misses_nothing_that_was_there_when_it_began(
        self, app: FastAPI
    ) -> None:
        one = await tenant(app)
        await changed(one, "A", "B", "C", "D")
        reader = Reader(app, one)
        reader.meanwhile = partial(changed, one, "E", "F")
        await reader.read()
        assert reader.pieces == 2  # of two rows each, as there were

    @pytest.mark.usefixtures("few")
    async def test_a_failure_is_a_problem_or_an_end_that_is_seen(
        self, databases: Databases, tmp_path: Path
    ) -> None:
        async with databases.fresh() as database:
            settings = settings_for(
                DATABASE_URL=SecretStr(database.app_url), ZENITH_HOME=tmp_path
            )
            owner = await asyncpg.connect(database.owner_url)
            async with running(settings) as app:
                one = await tenant(app)
                await changed(one, "A", "B", "C")
                reader = Reader(app, one)
                statement = "ALTER TABLE audit_events RENAME TO gone"
                reader.meanwhile = partial(owner.execute, statement)
                with pytest.raises(RuntimeError):  # which makes the server cut it off
                    await reader.read()
                assert reader.pieces == 1
                answer = await one.owner.client.get(f"{one.path}/audit-events/export")
                assert answer.status_code == 500
                assert answer.headers["content-type"] == "application/problem+json"
                assert "content-disposition" not in answer.headers
            await owner.close()

    async def test_needs_a_caller_who_may(self, app: FastAPI) -> None:
        one = await tenant(app)
        path = f"{one.path}/audit-events/export"
        assert (await client_of(app).get(path)).status_code == 401
        viewer = await member(app, one, Role.VIEWER)
        refused = await viewer.client.get(path)
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
