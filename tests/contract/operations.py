"""Every operation of the API, as its own OpenAPI document tells."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from fastapi import FastAPI

from app.main import create_app
from tests.conftest import settings_for
from tests.contract import probe

Schema = dict[str, Any]
Where = tuple[str | int, ...]

JSON = "application/json"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


@dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    definition: dict[str, Any] = field(repr=False)
    document: dict[str, Any] = field(repr=False)

    @property
    def is_secured(self) -> bool:
        return "security" in self.definition

    @property
    def has_body(self) -> bool:
        return "requestBody" in self.definition

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What the paths of its template look like; what is no id fits no template."""
        fits = {True: "[0-9]+", False: "[0-9a-f-]{36}"}
        text = self.path
        for name in self.path_ids:
            text = text.replace(f"{{{name}}}", fits[self.is_number(name)])
        return re.compile(text)

    @property
    def path_ids(self) -> list[str]:
        return [parameter["name"] for parameter in self.parameters("path")]

    def is_number(self, name: str) -> bool:
        """Tell whether an id of the path counts, as those of jobs do."""
        found = {p["name"]: p["schema"] for p in self.parameters("path")}
        return bool(found[name].get("type") == "integer")

    @property
    def query(self) -> set[str]:
        """The names of its parameters in the query."""
        return {parameter["name"] for parameter in self.parameters("query")}

    @cached_property
    def body(self) -> Schema | None:
        """The schema of its JSON body."""
        content = self.definition.get("requestBody", {}).get("content", {})
        return self.resolve(content[JSON]["schema"]) if JSON in content else None

    def parameters(self, place: str) -> list[dict[str, Any]]:
        """Those in ``path``, ``query`` or ``header``."""
        all_of_them = self.definition.get("parameters", [])
        return [p for p in all_of_them if p["in"] == place]

    def resolve(self, schema: Schema) -> Schema:
        """Follow a reference and flatten unions of one, so that ``type`` is at hand."""
        while "$ref" in schema:
            name = schema["$ref"].rpartition("/")[2]
            schema = self.document["components"]["schemas"][name]
        return schema

    def alternatives(self, schema: Schema) -> list[Schema]:
        """All schemas of which a value needs to fit one."""
        schema = self.resolve(schema)
        several = schema.get("anyOf") or schema.get("oneOf")
        if several is None:
            return [schema]
        return [found for one in several for found in self.alternatives(one)]

    def fields(self) -> Iterator[tuple[Where, list[Schema]]]:
        """Yield each field of the JSON body, nested ones too: where, and what fits."""
        yield from self._fields(self.body or {}, ())

    def _fields(
        self, schema: Schema, where: Where
    ) -> Iterator[tuple[Where, list[Schema]]]:
        for name, inner in schema.get("properties", {}).items():
            alternatives = self.alternatives(inner)
            yield (*where, name), alternatives
            for one in alternatives:
                yield from self._fields(one, (*where, name))
                for item in self.alternatives(one.get("items", {})):
                    yield from self._fields(item, (*where, name, 0))


def app_with_probe() -> FastAPI:
    """The application and one operation more, which has every kind of input."""
    app = create_app(settings_for())
    app.include_router(probe.router)
    return app


def operations_of(app: FastAPI) -> list[Operation]:
    document = app.openapi()
    return [
        Operation(item["operationId"], method.upper(), path, item, document)
        for path, at_path in document["paths"].items()
        for method, item in at_path.items()
        if method in METHODS
    ]


OPERATIONS = operations_of(app_with_probe())
