"""What the OpenAPI document promises, and that the promise is kept between versions."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.problems import MEDIA_TYPE
from tests.conftest import settings_for
from tests.contract.breaks import breaks
from tests.contract.conftest import every
from tests.contract.operations import JSON, Operation, Schema, operations_of

ROOT = Path(__file__).parents[2]
RELEASED = Path(__file__).with_name("released.json")
CHANGELOG = ROOT / "CHANGELOG.md"
RELEASE = re.compile(r"^## +\[?v?\d+\.\d+", re.MULTILINE)

APP = create_app(settings_for())
DOCUMENT = APP.openapi()
OPERATIONS = operations_of(APP)


def errors_of(operation: Operation) -> set[int]:
    """The statuses that an operation must document, by what it has."""
    statuses = {400, 500, 503}
    if operation.is_secured:
        statuses.add(401)
    if operation.parameters("path"):
        statuses.add(404)
    if operation.has_body:
        statuses.add(413)
    if operation.body is not None:
        statuses |= {415, 422}
    if operation.parameters("query"):
        statuses.add(422)
    return statuses


def outputs(operation: Operation) -> Iterator[Schema]:
    """Every object schema of a success, the nested ones too."""
    waiting = [
        content["schema"]
        for status, response in operation.definition["responses"].items()
        if status.startswith("2")
        for media_type, content in response.get("content", {}).items()
        if media_type == JSON
    ]
    seen: list[Schema] = []
    while waiting:
        for schema in operation.alternatives(waiting.pop()):
            if schema in seen:
                continue
            seen.append(schema)
            waiting += schema.get("properties", {}).values()
            waiting += [schema["items"]] if "items" in schema else []
            if "properties" in schema:
                yield schema


def unreleased(changelog: str) -> str:
    """The part of a changelog above its newest released version."""
    found = RELEASE.search(changelog)
    return changelog[: found.start()] if found else changelog


class TestOperations:
    def test_each_has_an_id_of_its_own(self) -> None:
        counted = Counter(operation.id for operation in OPERATIONS)
        assert [name for name, count in counted.items() if count > 1] == []
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in counted)

    @every(OPERATIONS)
    def test_each_says_what_it_does(self, operation: Operation) -> None:
        definition = operation.definition
        assert definition["summary"]
        assert definition["description"].rstrip().endswith((".", ")"))
        assert len(definition["tags"]) == 1

    @every(OPERATIONS)
    def test_each_documents_its_errors_as_problems(self, operation: Operation) -> None:
        responses: dict[str, Any] = operation.definition["responses"]
        errors = {status for status in responses if status >= "400"}
        assert errors >= set(map(str, errors_of(operation)))
        for status in errors:
            assert responses[status]["description"]
            assert responses[status]["content"].keys() == {MEDIA_TYPE}
            schema = responses[status]["content"][MEDIA_TYPE]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}

    @every(OPERATIONS)
    def test_each_answers_all_its_fields_always(self, operation: Operation) -> None:
        for schema in outputs(operation):
            assert set(schema["properties"]) == set(schema.get("required", []))


class TestInputs:
    @every([operation for operation in OPERATIONS if operation.body is not None])
    def test_each_is_bounded_and_closed(self, operation: Operation) -> None:
        assert (operation.body or {}).get("additionalProperties") is False
        for where, alternatives in operation.fields():
            for schema in alternatives:
                bounded = {"maxLength", "enum", "const", "maximum", "maxItems"}
                if schema.get("format") in {"uuid", "date-time"}:
                    continue
                if schema.get("type") in {"string", "integer", "number", "array"}:
                    assert bounded & schema.keys(), f"{where} has no bound"
                if schema.get("type") == "object":
                    assert schema.get("additionalProperties") is False, where

    @every([operation for operation in OPERATIONS if operation.parameters("query")])
    def test_each_query_parameter_is_bounded(self, operation: Operation) -> None:
        for parameter in operation.parameters("query"):
            for schema in operation.alternatives(parameter["schema"]):
                bounded = {"maxLength", "pattern", "enum", "const", "maximum"}
                if schema.get("format") in {"uuid", "date-time"}:
                    continue
                if schema.get("type") in {"string", "integer", "number"}:
                    assert bounded & schema.keys(), parameter["name"]


class TestDocument:
    def test_the_committed_one_is_of_today(self) -> None:
        committed = json.loads((ROOT / "openapi.json").read_text(encoding="utf-8"))
        assert committed == DOCUMENT, "Run: uv run zenith openapi > openapi.json"

    def test_nothing_is_left_of_the_frameworks_own_errors(self) -> None:
        assert "HTTPValidationError" not in json.dumps(DOCUMENT)

    def test_nothing_breaks_unless_the_changelog_says_so(self) -> None:
        released = json.loads(RELEASED.read_text(encoding="utf-8"))
        changelog = CHANGELOG.read_text(encoding="utf-8") if CHANGELOG.exists() else ""
        if re.search(r"\bbreaking\b", unreleased(changelog), re.IGNORECASE):
            return
        assert breaks(released, DOCUMENT) == []


class TestUnreleased:
    @pytest.mark.parametrize("heading", ["## 1.2.0", "## [1.2.0] - 2026-01-01"])
    def test_ends_where_a_version_begins(self, heading: str) -> None:
        changelog = f"# Changes\n\n## Unreleased\n\n- new\n\n{heading}\n\n- Breaking."
        assert "new" in unreleased(changelog)
        assert "Breaking" not in unreleased(changelog)

    def test_is_everything_before_the_first_release(self) -> None:
        assert unreleased("## Unreleased\n- all\n") == "## Unreleased\n- all\n"
