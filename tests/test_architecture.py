"""Rules of the house that no other tool can check."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from sqlalchemy import DateTime
from sqlalchemy.orm import RelationshipProperty

from app.main import create_app
from app.models import Base
from app.schemas.base import Input, Output, Patch
from app.web.routing import StrictRoute
from tests.conftest import settings_for
from tests.use_cases import SERVICES, SURE, use_cases_in, without_each

ROOT = Path(__file__).parents[1]
APP = ROOT / "app"
MODULES = sorted(APP.rglob("*.py"))
PYTHON = [
    path
    for folder in ("app", "alembic", "bench", "tests", "tools")
    for path in sorted((ROOT / folder).rglob("*.py"))
]

# Where transactions end: a request's, a command's, a migration's.
EDGES = {
    "app/dependencies/database.py",
    "app/services/authentication.py",  # notes the use of a session, whatever follows
    "app/cli/accounts.py",
    "app/cli/jobs.py",
    "app/jobs/housekeeping.py",  # in batches
    "app/jobs/organizations.py",  # so, too
    "app/worker/attempts.py",  # a job is a transaction, too
    "app/worker/worker.py",
    "app/db/migrations.py",
}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


CASES = {
    case.name: case for path in SERVICES for case in use_cases_in(path.read_text())
}
SURE_OF_NOBODY = {
    "SessionService.end_current": "whoever has signed out already may do it again",
}
READING = {"page", "page_of_organizations", "get", "read", "current", "history"}
READING |= {"export"}


@pytest.fixture(scope="module")
def application() -> FastAPI:
    return create_app(settings_for())


@pytest.fixture(scope="module")
def routes(application: FastAPI) -> list[APIRoute]:
    found = [
        context.original_route for context in iter_route_contexts(application.routes)
    ]
    return [route for route in found if isinstance(route, APIRoute)]


def test_there_are_use_cases_to_judge() -> None:
    assert len(CASES) >= 5


@pytest.mark.parametrize("name", CASES)
def test_a_use_case_asks_for_a_permission_first(name: str) -> None:
    case = CASES[name]
    if case.is_public:
        return
    first = case.body.body[1 if ast.get_docstring(case.body) else 0]
    assert "self.actor.require" in ast.unparse(first)


@pytest.mark.parametrize("name", CASES)
def test_a_use_case_that_writes_makes_sure_of_its_actor(name: str) -> None:
    case = CASES[name]
    if case.is_public:
        return
    assert bool(case.unsure) == (name in SURE_OF_NOBODY), case.unsure
    # Else it writes in a way that is not seen here.
    assert case.written or case.body.name in READING


@pytest.mark.parametrize("path", SERVICES, ids=name_of)
def test_a_use_case_that_forgot_to_make_sure_would_be_seen(path: Path) -> None:
    text = path.read_text()
    for forgetful in without_each(text, *SURE):
        unsure = {case.name for case in use_cases_in(forgetful) if case.unsure}
        known = {name for name, case in CASES.items() if case.unsure}
        assert unsure - known


def test_who_locks_by_the_password_makes_sure_of_the_actor() -> None:
    (lock,) = [
        function
        for function in functions(APP / "services" / "own_password.py")
        if function.name == "lock"
    ]
    *_, sure, end = map(ast.unparse, lock.body)
    assert (sure, end) == ("await actor.confirm(session)", "return row")


def test_nobody_commits_but_the_edge() -> None:
    for path in MODULES:
        if name_of(path) not in EDGES:
            for ending in (".commit(", "sessions.begin("):
                assert ending not in path.read_text(), name_of(path)


def test_a_module_fits_the_head() -> None:
    lengths = {name_of(path): len(path.read_text().splitlines()) for path in PYTHON}
    assert {name: length for name, length in lengths.items() if length > 300} == {}


def test_a_function_fits_the_eye() -> None:
    for path in PYTHON:
        for function in functions(path):
            assert function.end_lineno is not None
            where = f"{name_of(path)}: {function.name}"
            assert function.end_lineno - function.lineno < 40, where


def test_an_exception_from_a_rule_carries_its_reason() -> None:
    for path in PYTHON:
        for line in path.read_text().splitlines():
            mark = re.search(r"#\s*(noqa|type: ignore)(\S*)(.*)", line)
            if mark and "re.search" not in line:
                _, codes, rest = mark.groups()
                where = f"{name_of(path)}: {line}"
                assert re.match(r"[:\[]", codes), f"an ignore without a code: {where}"
                assert re.search(r"[a-z]{3,}", rest), f"without a reason: {where}"


def test_what_costs_or_misleads_is_not_used() -> None:
    banned = ("BaseHTTPMiddleware", "@app.middleware", "BackgroundTasks", "TODO")
    for path in MODULES:
        text = path.read_text()
        assert [name for name in banned if name in text] == [], name_of(path)


def test_every_route_is_strict(routes: list[APIRoute]) -> None:
    assert len(routes) >= 10
    for route in routes:
        assert isinstance(route, StrictRoute), route.path


def test_no_use_case_goes_on_after_a_failed_statement() -> None:
    # PostgreSQL would roll back and call it a commit.
    alone = {"app/services/authentication.py", "app/services/health.py"}
    for path in MODULES:
        inner = path.is_relative_to(APP / "services") or "repositories" in path.parts
        if inner and name_of(path) not in alone:
            found = re.search(r"DATABASE_ERRORS|sqlalchemy\.exc", path.read_text())
            assert not found, name_of(path)


def dependants(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for dependency in dependant.dependencies:
        yield from dependants(dependency)


def test_nothing_of_a_request_runs_in_a_thread(routes: list[APIRoute]) -> None:
    for route in routes:
        for dependant in dependants(route.dependant):
            call: Any = dependant.call
            judged = call if inspect.isroutine(call) else type(call).__call__
            is_async = inspect.iscoroutinefunction(judged)
            assert is_async or inspect.isasyncgenfunction(judged), call


def test_sessions_end_before_the_response(routes: list[APIRoute]) -> None:
    found = [d for route in routes for d in dependants(route.dependant)]
    generators = [d for d in found if inspect.isasyncgenfunction(d.call)]
    assert generators
    for dependant in generators:
        assert dependant.scope == "function", dependant.call


def descendants(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for child in kind.__subclasses__():
        yield child
        yield from descendants(child)


def test_output_schemas_have_no_defaults() -> None:
    for schema in descendants(Output):
        for name, field in schema.model_fields.items():
            assert field.default is PydanticUndefined, f"{schema.__name__}.{name}"


def test_bodies_are_inputs_or_patches(routes: list[APIRoute]) -> None:
    for route in routes:
        if route.body_field is not None:
            body = route.body_field.field_info.annotation
            assert body is not None
            assert isinstance(body, type)
            assert issubclass(body, Patch if route.methods == {"PATCH"} else Input)


def test_what_is_no_id_is_no_path_of_a_route(routes: list[APIRoute]) -> None:
    # Else DELETE /users/me would be a DELETE of the user "me", and not a 405.
    for route in routes:
        for name in re.findall(r"\{([^}]+)\}", route.path):
            assert name.endswith(("_id:uuid", "_id:int")), route.path


def test_endpoints_are_one_call_and_a_docstring() -> None:
    for path in sorted((APP / "routers").glob("*.py")):
        for function in functions(path):
            if function.name.startswith("_"):
                continue
            assert ast.get_docstring(function), f"{path.stem}.{function.name}"
            assert len(function.body) == 2, f"{path.stem}.{function.name}"


def test_constraints_are_named_and_times_have_a_zone() -> None:
    for table in Base.metadata.sorted_tables:
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"
        for column in table.columns:
            if isinstance(column.type, DateTime):
                assert column.type.timezone, f"{table.name}.{column.name}"


def test_relationships_load_nothing_by_themselves() -> None:
    for mapper in Base.registry.mappers:
        for relationship in mapper.relationships:
            assert isinstance(relationship, RelationshipProperty)
            assert relationship.lazy in {"raise", "write_only"}, str(relationship)
