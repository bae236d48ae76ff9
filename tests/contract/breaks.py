"""What would break a client between two versions of an OpenAPI document."""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
METHODS = frozenset({"get", "put", "post", "patch", "delete"})
_LOWER_BOUNDS = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_UPPER_BOUNDS = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_SHAPES = ("pattern", "format", "const")


def breaks(old: Schema, new: Schema) -> list[str]:
    """List what clients of the old document could not live with in the new one."""
    return [*_Comparison(old, new).run()]


class _Comparison:
    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new

    def run(self) -> Iterator[str]:
        for path, item in self._old["paths"].items():
            if path not in self._new["paths"]:
                yield f"{path} is gone"
            for method in item.keys() & METHODS if path in self._new["paths"] else ():
                where = f"{method.upper()} {path}"
                if (found := self._new["paths"][path].get(method)) is None:
                    yield f"{where} is gone"
                else:
                    yield from self._operation(where, item[method], found)

    def _operation(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        yield from self._parameters(where, old, new)
        yield from self._body(where, old, new)
        for status, before in old["responses"].items():
            if status.startswith("2") and status not in new["responses"]:
                yield f"{where}: {status} is gone"
            elif status.startswith("2"):
                yield from self._contents(where, before, new["responses"][status])
        if "security" in new and "security" not in old:
            yield f"{where}: needs credentials"

    def _parameters(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        before = {(p["in"], p["name"]): p for p in old.get("parameters", [])}
        after = {(p["in"], p["name"]): p for p in new.get("parameters", [])}
        for key, parameter in before.items():
            name = f"{where}: {' '.join(key)}"
            if key in after:
                yield from self._input(name, parameter["schema"], after[key]["schema"])
            else:
                yield f"{name} is gone"
        for key, parameter in after.items():
            if parameter.get("required") and not before.get(key, {}).get("required"):
                yield f"{where}: {' '.join(key)} became required"

    def _body(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        before, after = old.get("requestBody", {}), new.get("requestBody", {})
        if after.get("required") and not before.get("required"):
            yield f"{where}: the body became required"
        for media_type, content in before.get("content", {}).items():
            if media_type not in after.get("content", {}):
                yield f"{where}: takes no {media_type} any more"
            else:
                now = after["content"][media_type]["schema"]
                yield from self._input(f"{where}: body", content["schema"], now)

    def _contents(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        for media_type, content in old.get("content", {}).items():
            if media_type not in new.get("content", {}):
                yield f"{where}: answers no {media_type} any more"
            elif "schema" in content:
                now = new["content"][media_type].get("schema", {})
                yield from self._output(f"{where}: answer", content["schema"], now)

    def _input(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        """What was taken has to be taken still."""
        old, new = _follow(self._old, old), _follow(self._new, new)
        yield from (f"{where}: {gone} is not taken" for gone in _lost(old, new))
        yield from _narrowed(where, old, new)
        fields = new.get("properties", {})
        for name in set(new.get("required", [])) - set(old.get("required", [])):
            yield f"{where}.{name} became required"
        for name, schema in old.get("properties", {}).items():
            if name in fields:
                yield from self._input(f"{where}.{name}", schema, fields[name])
            else:
                yield f"{where}.{name} is gone"
        if "items" in old and "items" in new:
            yield from self._input(f"{where}[]", old["items"], new["items"])

    def _output(self, where: str, old: Schema, new: Schema) -> Iterator[str]:
        """What was answered has to be answered still, and nothing of another type."""
        old, new = _follow(self._old, old), _follow(self._new, new)
        yield from (f"{where}: {gone} is gone" for gone in _lost(old, new, kind="enum"))
        yield from (f"{where} may be {kind}" for kind in _lost(new, old, kind="type"))
        fields = new.get("properties", {})
        for name, schema in old.get("properties", {}).items():
            if name not in fields:
                yield f"{where}.{name} is gone"
                continue
            yield from self._output(f"{where}.{name}", schema, fields[name])
            if name in old.get("required", []) and name not in new.get("required", []):
                yield f"{where}.{name} may be missing"
        if "items" in old and "items" in new:
            yield from self._output(f"{where}[]", old["items"], new["items"])


def _follow(document: Schema, schema: Schema) -> Schema:
    """Resolve references; unions are merged, for ``X | None`` is nearly all of them."""
    while "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
    several = schema.get("anyOf") or schema.get("oneOf")
    if not several:
        return schema
    found = [_follow(document, one) for one in several]
    merged = {name: value for one in found for name, value in one.items()}
    return {**merged, "type": [kind for one in found for kind in _types(one)]}


def _types(schema: Schema) -> list[str]:
    kind = schema.get("type", [])
    return kind if isinstance(kind, list) else [kind]


def _lost(old: Schema, new: Schema, *, kind: str = "") -> list[Any]:
    """Tell which types and enum values of one schema another does not have."""
    types = [name for name in _types(old) if _types(new) and name not in _types(new)]
    if "number" in _types(new):
        types = [name for name in types if name != "integer"]
    values = [v for v in old.get("enum", []) if "enum" in new and v not in new["enum"]]
    return {"type": types, "enum": values}.get(kind, types + values)


def _narrowed(where: str, old: Schema, new: Schema) -> Iterator[str]:
    for name in _LOWER_BOUNDS:
        if name in new and new[name] > old.get(name, float("-inf")):
            yield f"{where}: {name} rose to {new[name]}"
    for name in _UPPER_BOUNDS:
        if name in new and new[name] < old.get(name, float("inf")):
            yield f"{where}: {name} fell to {new[name]}"
    for name in _SHAPES:
        if name in new and new[name] != old.get(name):
            yield f"{where}: {name} became {new[name]}"
    if "enum" in new and not {"enum", "const"} & old.keys():
        yield f"{where}: only {new['enum']} are taken"
    if new.get("additionalProperties") is False is not old.get("additionalProperties"):
        yield f"{where}: further fields are not taken"
