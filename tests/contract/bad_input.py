"""What may be wrong with a JSON body, and what the answer to it has to be."""

import copy
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from app.models import Base
from tests.contract.operations import JSON, Operation, Schema, Where
from tests.contract.scenes import SECRET

BAD_REQUEST, TOO_LARGE, UNSUPPORTED, INVALID = 400, 413, 415, 422

_HOLE = "@@hole@@"
_SURROGATE = r'"\ud800"'
_NUL = r'"\u0000"'
_HUGE = 100_000  # characters, or levels

# Of no type, in whichever field they stand.
_IN_ANY_FIELD = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", _SURROGATE, _NUL)
_OF_TYPE = {
    "string": [json.dumps(SECRET)],
    "integer": ["1", "-1"],
    "number": ["1.5"],
    "boolean": ["true", "false"],
    "array": ["[]", f'["{SECRET}"]', "[[]]"],
    "object": ["{}", f'{{"{SECRET[:3]}": "{SECRET}"}}'],
    "null": ["null"],
}
_NO_INTEGERS = ['"1_000"', '"1"', "1.0", "1.5", "1e2", "9" * 5000]
_FORMATS = {
    "uuid": ["x", "0", "00000000-0000-0000-0000-00000000000g", "1" * 64],
    "email": ["x", "a@", "@b.c", "a@b@c.d", "a b@c.d", "a@b..c", "a@b.c\n", "a@[::1]"],
    "date-time": [
        "now",
        "1700000000",
        "2024-02-30T00:00:00Z",
        "2024-01-01T25:00:00Z",
        "99999-01-01T00:00:00Z",
        "2024-01-01",
        "2024-01-01T00:00:00",
    ],
    "uri": ["x", "javascript:alert(1)", "http://", "http://[::1"],
}


@dataclass(frozen=True)
class BadBody:
    """One thing that is wrong; ``pointer`` is where the answer must say it is."""

    name: str
    content: bytes
    status: int = INVALID
    media_type: str | None = JSON
    encoding: str | None = None
    pointer: str | None = None


def bad_bodies(operation: Operation, valid: dict[str, Any]) -> Iterator[BadBody]:
    """Yield every row of the table, for every field of an operation's body."""
    assert operation.body is not None
    for where, alternatives in operation.fields():
        yield from _bad_fields(valid, where, alternatives)
    yield from _missing(operation, valid)
    yield from _keys(operation, valid)
    yield from _columns(operation, valid)
    yield from _shapes()
    yield from _texts(json.dumps(valid))
    yield from _depths(valid)
    yield from _media_types(json.dumps(valid).encode())


def _bad_fields(
    valid: dict[str, Any], where: Where, alternatives: list[Schema]
) -> Iterator[BadBody]:
    fragments = [*_IN_ANY_FIELD, *_wrong_types(alternatives)]
    kinds = {one.get("type") for one in alternatives}
    if "integer" in kinds:
        fragments += [*_NO_INTEGERS, *map(str, (2**63, -(2**63) - 1))]
    for one in alternatives:
        fragments += map(json.dumps, _out_of_bounds(one))
    for fragment in fragments:
        name = f"{'.'.join(map(str, where))} = {fragment[:40]}"
        yield BadBody(name, _with(valid, where, fragment))


def _wrong_types(alternatives: list[Schema]) -> Iterator[str]:
    fitting = {one.get("type") for one in alternatives}
    if "number" in fitting:
        fitting.add("integer")
    for kind, fragments in _OF_TYPE.items():
        if kind not in fitting:
            yield from fragments


def _out_of_bounds(schema: Schema) -> Iterator[Any]:
    """Yield values of the right type that the schema does not allow."""
    number = int if schema.get("type") == "integer" else float
    if "minimum" in schema:
        yield number(schema["minimum"] - 1)
    if "maximum" in schema:
        yield number(schema["maximum"] + 1)
    if schema.get("minItems", 0) > 0:
        yield []
    if schema.get("type") != "string":
        return
    yield from _FORMATS.get(schema.get("format", ""), [])
    if schema.get("minLength", 0) > 0 or {"format", "enum", "const"} & schema.keys():
        yield ""
    if {"enum", "const"} & schema.keys():
        yield SECRET
    if "maxLength" in schema:
        yield (SECRET * schema["maxLength"])[: schema["maxLength"] + 1]
        yield SECRET * (_HUGE // len(SECRET))


def _missing(operation: Operation, valid: dict[str, Any]) -> Iterator[BadBody]:
    required = operation.body.get("required", []) if operation.body else []
    for name in required:
        rest = {key: value for key, value in valid.items() if key != name}
        yield BadBody(f"no {name}", _bytes(rest), pointer=f"/body/{name}")
    yield BadBody("no body", b"")
    yield BadBody("no body and no media type", b"", media_type=None)
    if required:
        yield BadBody("an empty object", b"{}")


def _keys(operation: Operation, valid: dict[str, Any]) -> Iterator[BadBody]:
    text = json.dumps(valid)
    first, value = next(iter(valid.items()))
    again = json.dumps(value)
    escaped = f"\\u{ord(first[0]):04x}{first[1:]}"
    for key in (first, escaped):
        yield BadBody(f"twice {key}", _joined(text, f'"{key}": {again}'))
    inner = {"x": 1, "y": {"z": 1}}
    twice = json.dumps(inner).replace('"z": 1', '"z": 1, "z": 1')
    yield BadBody("a key twice inside", _joined(text, f'"unknown": {twice}'))
    for key in (
        "unknown",
        "__proto__",
        "",
        "$ref",
        "a/b~c",
        first.upper(),
        f" {first}",
    ):
        if key not in (operation.body or {})["properties"]:
            yield BadBody(f"unknown key {key!r}", _bytes({**valid, key: SECRET}))
    yield BadBody("a long key", _bytes({**valid, "k" * _HUGE: SECRET}))
    yield BadBody("a surrogate as a key", _joined(text, f"{_SURROGATE}: 1"))
    yield BadBody("a NUL as a key", _joined(text, f"{_NUL}: 1"))
    many = {f"k{number}": SECRET for number in range(5000)}
    yield BadBody("5,000 keys", _bytes({**valid, **many}))


def _columns(operation: Operation, valid: dict[str, Any]) -> Iterator[BadBody]:
    """Columns of every table that the body does not name: none may be set from here."""
    tables = Base.metadata.sorted_tables
    names = {column.name for table in tables for column in table.columns}
    own = (operation.body or {}).get("properties", {})
    for name in sorted(names - own.keys()):
        for value in (True, SECRET):
            body = {**valid, name: value}
            yield BadBody(f"column {name}", _bytes(body), pointer=f"/body/{name}")


def _shapes() -> Iterator[BadBody]:
    shapes = ["null", "true", "1", json.dumps(SECRET), "[]", f'["{SECRET}"]', "[{}]"]
    for text in [*shapes, "NaN", "1e999", _SURROGATE, _NUL]:
        yield BadBody(f"{text} as the body", text.encode())


def _texts(text: str) -> Iterator[BadBody]:
    """Yield what is no JSON in UTF-8."""
    broken = {
        "cut off": text[:-1],
        "with more behind it": text + "}",
        "twice": text + text,
        "with a trailing comma": text[:-1] + ",}",
        "in single quotes": text.replace('"', "'"),
        "with a comment": text + "// x",
        "with a raw control character": _spoiled(text.encode(), b"\n").decode(),
        "with a leading zero": _joined(text, '"unknown": 01').decode(),
        "of white space": "  \n",
        "of words": SECRET,
    }
    for name, wrong in broken.items():
        yield BadBody(f"a body {name}", wrong.encode(), BAD_REQUEST)
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"):
        yield BadBody(f"in {encoding}", text.encode(encoding), BAD_REQUEST)
    for name, octets in {
        "a stray byte": b"\xff",
        "an overlong slash": b"\xc0\xaf",
        "a surrogate's bytes": b"\xed\xa0\x80",
        "half a character": b"\xe2\x82",
        "Latin-1": "é".encode("latin-1"),
    }.items():
        yield BadBody(f"with {name}", _spoiled(text.encode(), octets), BAD_REQUEST)


def _spoiled(raw: bytes, octets: bytes) -> bytes:
    """Write something into the last string."""
    before, quote, after = raw.rpartition(b'"')
    return before + octets + quote + after


def _depths(valid: dict[str, Any]) -> Iterator[BadBody]:
    """Yield bodies that are nested too deep; the body itself is the first level."""
    text = json.dumps(valid)
    for levels, status in ((64, INVALID), (65, BAD_REQUEST), (_HUGE, BAD_REQUEST)):
        arrays = "[" * levels + "]" * levels
        inner = "[" * (levels - 1) + "]" * (levels - 1)
        yield BadBody(f"{levels} arrays", arrays.encode(), status)
        yield BadBody(f"{levels} levels", _joined(text, f'"unknown": {inner}'), status)
    yield BadBody("objects without an end", b'{"a":' * _HUGE, BAD_REQUEST)
    yield BadBody("arrays without an end", b"[" * _HUGE, BAD_REQUEST)


def _media_types(content: bytes) -> Iterator[BadBody]:
    wrong = (
        None,
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/jsonp",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "json",
        "*/*",
    )
    for media_type in wrong:
        name = f"as {media_type}"
        yield BadBody(name, content, UNSUPPORTED, media_type=media_type)
    for encoding in ("gzip", "deflate", "br", "zstd", "identity, gzip", "x"):
        yield BadBody(encoding, content, UNSUPPORTED, encoding=encoding)


def _with(valid: dict[str, Any], where: Where, fragment: str) -> bytes:
    """Write a body with a piece of JSON text, of whatever kind, in one place."""
    body = copy.deepcopy(valid)
    parent: Any = body
    for step in where[:-1]:
        parent = parent[step]
    parent[where[-1]] = _HOLE
    return json.dumps(body).replace(json.dumps(_HOLE), fragment).encode()


def _joined(text: str, *members: str) -> bytes:
    """Write one more member into an object's JSON text."""
    return f"{text[:-1]}, {', '.join(members)}}}".encode()


def _bytes(body: Iterable[Any]) -> bytes:
    return json.dumps(body).encode()


def bad_queries(operation: Operation) -> Iterator[str]:
    """Yield query strings, each with one parameter that cannot be taken."""
    for parameter in operation.parameters("query"):
        name = parameter["name"]
        for one in operation.alternatives(parameter["schema"]):
            for value in _bad_texts(one):
                yield f"{name}={value}"
        yield f"{name}=%00"
        yield f"{name}=1&{name}=1"
    if any(one["name"] == "cursor" for one in operation.parameters("query")):
        yield from _bad_list_queries()


def _bad_list_queries() -> Iterator[str]:
    """Yield what no list takes, whichever parameters it has."""
    yield from ("unknown=1", "=1", "Size=1", "size%5B%5D=1", "size=1;page=1")
    yield from ("sort=password_hash", "sort=created_at,-created_at", "sort=,")
    yield from ("page=1&cursor=x", "page=201", "size=100&page=101")
    yield from ("cursor=%2B", "cursor=%C3%A9", "cursor=" + "x" * 5000)


def _bad_texts(schema: Schema) -> Iterator[str]:
    kind = schema.get("type")
    if kind in {"integer", "number"}:
        yield from ("", "x", "1_000", "%D9%A1", "NaN", "1e999", "9" * 5000)
    if kind == "integer":
        yield from ("1.0", "1.5", "true", "%201", "%2B1", "0x1", str(2**63))
    if kind == "boolean":
        yield from ("", "1", "0", "2", "maybe", "True", "on", "%20true", "null")
    if not re.search(schema.get("pattern", ""), ""):
        yield ""
    yield from (quote(str(value)[:5000]) for value in _out_of_bounds(schema))
