"""The comparer of documents, on small ones made by hand."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.breaks import breaks

Document = dict[str, Any]

TEXT = {"type": "string", "maxLength": 10}
OLD: Document = {
    "paths": {
        "/things": {
            "get": {
                "parameters": [
                    {"in": "query", "name": "q", "schema": {"type": "string"}},
                    {"in": "query", "name": "size", "schema": {"type": "integer"}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {
                        "type": "array",
                        "items": {"$ref": "#/components/schemas/Thing"},
                    }}}},
                },
            },
            "post": {
                "requestBody": {"required": True, "content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/NewThing"},
                }}},
                "responses": {"201": {}, "409": {}},
            },
        },
        "/others": {"get": {"responses": {"200": {}}}},
    },
    "components": {"schemas": {
        "Thing": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "state": {"type": "string", "enum": ["new", "old"]},
            },
            "required": ["name", "state"],
        },
        "NewThing": {
            "type": "object",
            "properties": {
                "name": TEXT,
                "kind": {"type": "string", "enum": ["a", "b"]},
                "note": {"anyOf": [TEXT, {"type": "null"}]},
                "amount": {"type": "number", "minimum": 0},
                "tags": {"type": "array", "items": TEXT},
            },
            "required": ["name"],
        },
    }},
}  # fmt: skip

Change = Callable[[Document], object]


def changed(change: Change) -> Document:
    document: Document = json.loads(json.dumps(OLD))
    change(document)
    return document


def get(document: Document) -> Document:
    found: Document = document["paths"]["/things"]["get"]
    return found


def post(document: Document) -> Document:
    found: Document = document["paths"]["/things"]["post"]
    return found


def thing(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["Thing"]
    return found


def new_thing(document: Document) -> Document:
    found: Document = document["components"]["schemas"]["NewThing"]
    return found


def field(document: Document, name: str) -> Document:
    found: Document = new_thing(document)["properties"][name]
    return found


NEEDED = {"in": "query", "name": "x", "required": True, "schema": {}}

BREAKS: dict[str, Change] = {
    "/others is gone": lambda d: d["paths"].pop("/others"),
    "POST /things is gone": lambda d: d["paths"]["/things"].pop("post"),
    "GET /things: query q is gone": lambda d: get(d)["parameters"].pop(0),
    "GET /things: query x became required": lambda d: get(d)["parameters"].append(
        NEEDED
    ),
    "GET /things: query q became required": lambda d: get(d)["parameters"][0].update(
        required=True
    ),
    "GET /things: query size: maximum fell to 100": lambda d: get(d)["parameters"][1][
        "schema"
    ].update(maximum=100),
    "GET /things: needs credentials": lambda d: get(d).update(security=[{}]),
    "GET /things: 200 is gone": lambda d: get(d)["responses"].clear(),
    "GET /things: answers no application/json any more": lambda d: get(d)["responses"][
        "200"
    ]["content"].clear(),
    "GET /things: answer[].name is gone": lambda d: thing(d)["properties"].pop("name"),
    "GET /things: answer[].name may be missing": lambda d: thing(d)["required"].remove(
        "name"
    ),
    "GET /things: answer[].name may be null": lambda d: thing(d)["properties"].update(
        name={"anyOf": [{"type": "string"}, {"type": "null"}]}
    ),
    "GET /things: answer[].state: old is gone": lambda d: thing(d)["properties"][
        "state"
    ]["enum"].remove("old"),
    "POST /things: takes no application/json any more": lambda d: post(d)[
        "requestBody"
    ]["content"].clear(),
    "POST /things: body.note became required": lambda d: new_thing(d)[
        "required"
    ].append("note"),
    "POST /things: body.kind is gone": lambda d: new_thing(d)["properties"].pop("kind"),
    "POST /things: body.kind: b is not taken": lambda d: field(d, "kind")[
        "enum"
    ].remove("b"),
    "POST /things: body.name: maxLength fell to 9": lambda d: field(d, "name").update(
        maxLength=9
    ),
    "POST /things: body.name: minLength rose to 1": lambda d: field(d, "name").update(
        minLength=1
    ),
    "POST /things: body.name: pattern became ^x": lambda d: field(d, "name").update(
        pattern="^x"
    ),
    "POST /things: body.name: format became uuid": lambda d: field(d, "name").update(
        format="uuid"
    ),
    "POST /things: body.note: null is not taken": lambda d: field(d, "note")[
        "anyOf"
    ].pop(),
    "POST /things: body.amount: number is not taken": lambda d: field(
        d, "amount"
    ).update(type="integer"),
    "POST /things: body.tags[]: maxLength fell to 1": lambda d: field(d, "tags")[
        "items"
    ].update(maxLength=1),
    "POST /things: body.name: only ['x'] are taken": lambda d: field(d, "name").update(
        enum=["x"]
    ),
    "POST /things: body: further fields are not taken": lambda d: new_thing(d).update(
        additionalProperties=False
    ),
}

GROWTH: dict[str, Change] = {
    "nothing": lambda _: None,
    "a path": lambda d: d["paths"].update({"/more": {"get": {"responses": {}}}}),
    "an operation": lambda d: d["paths"]["/others"].update(post={"responses": {}}),
    "an optional parameter": lambda d: get(d)["parameters"].append(
        {**NEEDED, "required": False}
    ),
    "an optional field": lambda d: new_thing(d)["properties"].update(more=TEXT),
    "a field of an answer": lambda d: thing(d)["properties"].update(more=TEXT),
    "a state": lambda d: thing(d)["properties"]["state"]["enum"].append("older"),
    "a wider bound": lambda d: field(d, "name").update(maxLength=11),
    "no bound": lambda d: field(d, "name").pop("maxLength"),
    "a field that may be null": lambda d: new_thing(d)["properties"].update(
        name={"anyOf": [TEXT, {"type": "null"}]}
    ),
    "a requirement less": lambda d: new_thing(d)["required"].clear(),
    "another error": lambda d: post(d)["responses"].update({"410": {}}),
    "an error less": lambda d: post(d)["responses"].pop("409"),
}


class TestBreaks:
    @pytest.mark.parametrize("told", BREAKS)
    def test_tells_what_a_client_could_not_live_with(self, told: str) -> None:
        assert breaks(OLD, changed(BREAKS[told])) == [told]

    @pytest.mark.parametrize("name", GROWTH)
    def test_lets_the_api_grow(self, name: str) -> None:
        assert breaks(OLD, changed(GROWTH[name])) == []
