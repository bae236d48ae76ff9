"""JSON as a careful reader takes it (RFC 8259 and I-JSON, RFC 7493)."""

import re
from collections.abc import Iterator
from typing import Any

import jiter

from app.errors import (
    BodyTooLarge,
    FieldError,
    MalformedJSON,
    ValidationFailed,
    ZenithError,
)
from app.problems import pointer

MAX_DEPTH = 64
MAX_VALUES = 10_000  # to judge more, one by one, would hold up everybody else

# The last string may lack its end: were that no match, each quote would be tried anew.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)

# How the parser names a lone surrogate, for which UTF-8 has no bytes, and a number of
# thousands of digits.
_UNUSABLE = ("unexpected end of hex escape", "lone leading surrogate", "out of range")


def parse(raw: bytes) -> Any:
    """Parse a body.

    Raises `MalformedJSON` for what is no JSON in UTF-8 or is nested too deep,
    `ValidationFailed` for duplicate keys, lone surrogates, NaN and NUL, and
    `BodyTooLarge` for too many values.
    """
    # Counting bytes is cheap, and nearly every body is below the bound.
    if _count(raw, 0, len(raw)) > MAX_VALUES and _has_too_many_values(raw):
        if _begins_too_deep(raw):
            raise _too_deep()
        raise BodyTooLarge(f"A body may have {MAX_VALUES} values.")
    try:
        value = jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as error:
        raise _judge(raw, str(error)) from None
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
        raise _too_deep()
    if b"\\u0000" in raw and (where := next(_with_nul(value), None)) is not None:
        detail = "The NUL character is not allowed."
        raise ValidationFailed(FieldError(where, "nul_character", detail))
    return value


def _count(raw: bytes, begin: int, end: int) -> int:
    """Count what begins a value, or comes between two, as if there were no strings."""
    commas, arrays = raw.count(b",", begin, end), raw.count(b"[", begin, end)
    return commas + arrays + raw.count(b"{", begin, end)


def _has_too_many_values(raw: bytes) -> bool:
    """Count outside of strings, no further than is needed."""
    values = end = 0
    # Between two strings of JSON stands a comma or a colon.
    for _ in range(2 * MAX_VALUES + 2):
        string = _STRING.search(raw, end)
        values += _count(raw, end, string.start() if string else len(raw))
        if string is None or values > MAX_VALUES:
            return values > MAX_VALUES
        end = string.end()
    return True


def _begins_too_deep(raw: bytes) -> bool:
    """Tell whether the beginning of a body, which is too large, is nested too deep."""
    depth = 0
    for character in _STRING.sub(b"", raw[:MAX_VALUES]):
        depth += (character in b"[{") - (character in b"]}")
        if depth > MAX_DEPTH:
            return True
    return False


def _too_deep() -> MalformedJSON:
    return MalformedJSON(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _judge(raw: bytes, message: str) -> ZenithError:
    """Tell text that is no JSON from values that JSON has and nobody can use."""
    if any(text in message for text in _UNUSABLE) or _is_json_to_a_lenient_reader(raw):
        detail = "The body has a duplicate key, a lone surrogate, NaN or a huge number."
        return ValidationFailed(FieldError("/body", "json_value", detail))
    return MalformedJSON("The body is not JSON in UTF-8.")


def _is_json_to_a_lenient_reader(raw: bytes) -> bool:
    try:
        jiter.from_json(raw, allow_inf_nan=True)
    except ValueError:
        return False
    return True


def _depth(value: Any) -> int:
    """Measure nesting without recursion; the parser's own bound keeps it small."""
    deepest, level = 0, [value]
    while level := [v for v in level if isinstance(v, list | dict)]:
        deepest += 1
        level = [
            child for v in level for child in (v.values() if isinstance(v, dict) else v)
        ]
    return deepest


def _with_nul(value: Any, *path: str | int) -> Iterator[str]:
    """Yield the pointer to each string or key that holds a NUL."""
    if isinstance(value, str) and "\0" in value:
        yield pointer("body", *path)
    elif isinstance(value, dict):
        for key, child in value.items():
            if "\0" in key:
                yield pointer("body", *path)
            yield from _with_nul(child, *path, key)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from _with_nul(child, *path, index)
