"""What the trail says of the values of a row, and that every repository writes it."""

import ast
import importlib
import pkgutil
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import inspect, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import load_only

import app.db.repositories
from app.db.changes import Changes, additions, differences, removals
from app.db.connections import Connection
from app.db.repositories.api_keys import ApiKeyRepository
from app.db.repositories.base import assign
from app.db.repositories.members import MembershipRepository
from app.db.repositories.organizations import OrganizationRepository
from app.db.repositories.scoped import ScopedRepository
from app.db.tenancy import Context, bind
from app.events import EventType
from app.models import Base
from app.models.api_keys import ApiKey
from app.models.changes import MASKED, AuditEvent, OutboxEvent
from app.models.organizations import Membership, Organization
from app.models.users import User
from app.policy import Role
from tests.factories.organizations import Tenant, tenant

UNTIL = datetime(2030, 1, 1, 12, tzinfo=UTC)
HASH = b"\xff a hash that is no UTF-8"


@pytest.fixture
async def one(app: FastAPI) -> Tenant:
    return await tenant(app)


@pytest.fixture
async def within(app: FastAPI, one: Tenant) -> AsyncIterator[AsyncSession]:
    """A session of the organization; the test commits it."""
    async with app.state.resources.sessions() as session:
        bind(session, Context(one.id))
        yield session


def key(of: Tenant) -> ApiKey:
    return ApiKey(
        organization_id=of.id,
        created_by=of.owner.user.id,
        name="CI",
        prefix="zen_abcd",
        last_four="wxyz",
        key_hash=HASH + of.id.bytes,
        scopes=["orders:read", "products:read"],
        expires_at=UNTIL,
    )


def changed(row: Base, **changes: Any) -> Changes:
    assign(row, changes)
    return differences(row)


class TestValues:
    async def test_of_a_new_row_are_those_it_has(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await ApiKeyRepository(within, one.id).add(key(one))
        values = {name: change["to"] for name, change in additions(row).items()}
        assert values == {
            "created_by": str(one.owner.user.id),
            "name": "CI",
            "prefix": "zen_abcd",
            "last_four": "wxyz",
            "key_hash": "***",
            "scopes": ["orders:read", "products:read"],
            "expires_at": "2030-01-01T12:00:00Z",
        }
        assert {change["from"] for change in additions(row).values()} == {None}
        gone = removals(row)
        assert {name: change["from"] for name, change in gone.items()} == values

    async def test_that_are_the_same_in_another_form_are_no_change(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await ApiKeyRepository(within, one.id).add(key(one))
        elsewhere = UNTIL.astimezone(timezone(timedelta(hours=5)))
        assert changed(row, expires_at=elsewhere, name="CI") == {}
        assert changed(row, scopes=list(row.scopes)) == {}
        assert changed(row, scopes=tuple(row.scopes)) == {}
        member = await within.scalar(select(Membership))
        assert member is not None
        assert type(member.role) is str  # as the database gives it
        assert changed(member, role=Role.OWNER) == {}

    async def test_that_differ_are_shown_as_json_has_them(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await ApiKeyRepository(within, one.id).add(key(one))
        later = UNTIL + timedelta(microseconds=1)
        assert changed(row, scopes=["a"], expires_at=later) == {
            "scopes": {"from": ["orders:read", "products:read"], "to": ["a"]},
            "expires_at": {
                "from": "2030-01-01T12:00:00Z",
                "to": "2030-01-01T12:00:00.000001Z",
            },
        }
        await within.flush()
        assert changed(row, expires_at=None) == {
            "expires_at": {"from": "2030-01-01T12:00:00.000001Z", "to": None}
        }
        await within.flush()
        assert changed(row, expires_at=UNTIL) == {
            "expires_at": {"from": None, "to": "2030-01-01T12:00:00Z"}
        }
        member = await within.scalar(select(Membership))
        assert member is not None
        role = {"role": {"from": "owner", "to": "admin"}}
        assert changed(member, role=Role.ADMIN) == role

    async def test_that_are_masked_show_only_that_they_changed(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await ApiKeyRepository(within, one.id).add(key(one))
        assert changed(row, key_hash=HASH + one.id.bytes) == {}
        assert changed(row, key_hash=b"other") == {
            "key_hash": {"from": "***", "to": "***"}
        }

    async def test_leave_out_what_keeps_the_books(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await within.get_one(Organization, one.id)
        assert changed(row, version=9, updated_at=UNTIL, created_at=UNTIL) == {}

    async def test_tell_of_what_was_set_before_too(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        row = await within.get_one(Organization, one.id)
        row.name = "Set by hand"
        assert set(changed(row, slug="other")) == {"name", "slug"}

    async def test_that_were_never_read_have_no_before(
        self, one: Tenant, within: AsyncSession
    ) -> None:
        some = select(Organization).options(load_only(Organization.slug))
        row = (await within.scalars(some.where(Organization.id == one.id))).one()
        with pytest.raises(ValueError, match="unpack"):
            changed(row, name="Other")


class TestRepositories:
    async def test_write_each_change_of_a_row_in_its_order(
        self, one: Tenant, within: AsyncSession, owner_connection: Connection
    ) -> None:
        organizations = OrganizationRepository(within, one.id)
        row = await organizations.hold()
        for name in ("First", "First", "Second", "First"):
            await organizations.update(row, {"name": name})
        await within.commit()
        for table, value in (
            ("audit_events", "changes -> 'name' ->> 'to'"),
            ("outbox", "data ->> 'name'"),
        ):
            found = await owner_connection.fetch(
                f"SELECT {value} AS name FROM {table}"
                " WHERE organization_id = $1 ORDER BY created_at, id",
                one.id,
            )
            assert [row["name"] for row in found] == ["First", "Second", "First"]

    async def test_write_of_a_key_no_hash_anywhere(
        self, one: Tenant, within: AsyncSession, owner_connection: Connection
    ) -> None:
        keys = ApiKeyRepository(within, one.id)
        await keys.remove(await keys.add(key(one)))
        await within.commit()
        rows = ""
        for table in ("audit_events", "outbox"):
            rows += str(
                await owner_connection.fetch(
                    f"SELECT {table}::text FROM {table} WHERE organization_id = $1",
                    one.id,
                )
            )
        assert rows.count("api_key.created") == rows.count("api_key.revoked") == 2
        assert '""key_hash"": {""to"": ""***"", ""from"": null}' in rows
        assert "hash that is no" not in rows
        assert HASH.hex()[:20] not in rows

    async def test_write_nothing_if_they_change_nothing(
        self, one: Tenant, within: AsyncSession, owner_connection: Connection
    ) -> None:
        members = MembershipRepository(within, one.id)
        own = await members.lock_member(one.owner.user.id)
        await members.update(own, {"role": Role.OWNER})
        await members.update(own, {"role": Role.ADMIN})
        await within.rollback()
        for table in ("audit_events", "outbox"):
            found = f"SELECT count(*) FROM {table} WHERE organization_id = $1"
            assert await owner_connection.fetchval(found, one.id) == 0


ROOT = Path(__file__).parents[2]
SECRETIVE = re.compile(r"hash|token|secret|key|e_?mail|password")
BOOKS = {AuditEvent.__tablename__, OutboxEvent.__tablename__}


def repositories() -> list[type[ScopedRepository[Any]]]:
    for module in pkgutil.iter_modules(app.db.repositories.__path__):
        importlib.import_module(f"app.db.repositories.{module.name}")
    found = ScopedRepository.__subclasses__()
    ours = [one for one in found if one.__module__.startswith("app.")]
    return sorted(ours, key=lambda one: one.__name__)


def written_models() -> list[type[Base]]:
    """All models whose rows the trail tells of."""
    scoped = [
        mapper.class_
        for mapper in Base.registry.mappers
        if "organization_id" in mapper.columns
        and mapper.class_.__tablename__ not in BOOKS
    ]
    return sorted([*scoped, Organization, User], key=lambda one: one.__name__)


NEVER = {("ApiKeyRepository", "updated")}
"""What is never done to a row of some repositories."""

BULK = {
    "insert(Organization)": "recorded by itself, for its slug may be taken",
    "update(ApiKey)": "notes the last use",
    "delete(Invitation)": "of an erased address, long closed: their ends were written",
    "delete(Organization)": "its deletion was written when it was asked for",
    "update(User)": "another hash of the same password",
}
"""Statements past the repositories, of which nothing is written, and why."""


class TestRules:
    @pytest.mark.parametrize("kind", repositories(), ids=lambda kind: kind.__name__)
    def test_a_repository_has_an_event_for_each_change(
        self, kind: type[ScopedRepository[Any]]
    ) -> None:
        assert kind.noun
        events = {
            name: getattr(kind, name, None) for name in ("added", "updated", "removed")
        }
        for name, event in events.items():
            if (kind.__name__, name) in NEVER:
                assert event is None
            else:
                assert isinstance(event, EventType), f"{kind.__name__}.{name}"
        targets = {one.name.partition(".")[0] for one in events.values() if one}
        assert len(targets) == 1, "all are about the same type of target"

    @pytest.mark.parametrize("model", written_models(), ids=lambda one: one.__name__)
    def test_a_column_that_hints_at_a_secret_is_masked(self, model: type[Base]) -> None:
        for attribute in inspect(model).column_attrs:
            if SECRETIVE.search(attribute.key):
                assert MASKED.items() <= attribute.columns[0].info.items(), attribute

    def test_of_accounts_only_what_they_may_do_is_in_clear(self) -> None:
        shown = {
            attribute.key
            for attribute in inspect(User).column_attrs
            if not MASKED.items() <= attribute.columns[0].info.items()
        }
        books = {"id", "created_at", "updated_at", "version", "search_text"}
        assert shown - books == {"is_active", "is_superuser"}

    def test_statements_past_the_repositories_have_a_reason(self) -> None:
        names = {model.__name__ for model in written_models()}
        found = set()
        for path in sorted((ROOT / "app").rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and len(node.args) == 1:
                    call, argument = ast.unparse(node.func), ast.unparse(node.args[0])
                    if call in {"insert", "update", "delete"} and argument in names:
                        found.add(f"{call}({argument})")
        assert found == BULK.keys()
