"""JSON as a careful reader takes it."""

from typing import Any

import pytest

from app.errors import BodyTooLarge, MalformedJSON, ValidationFailed
from app.web.strict_json import MAX_DEPTH, MAX_VALUES, parse


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a": [1, true, null, "x"]}', {"a": [1, True, None, "x"]}),
        (b'"\\ud83d\\ude00"', "\N{GRINNING FACE}"),
        (b'"NaN"', "NaN"),
        (b'"\\\\u0000"', "\\u0000"),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'["' + b"," * (MAX_VALUES + 1) + b'"]', ["," * (MAX_VALUES + 1)]),
        (b'["\\"' + b"," * (MAX_VALUES + 1) + b'"]', ['"' + "," * (MAX_VALUES + 1)]),
        (b"[" + b",".join([b'",\\","'] * MAX_VALUES) + b"]", [',",'] * MAX_VALUES),
        (
            b"{" + b",".join(b'"%d":","' % n for n in range(MAX_VALUES)) + b"}",
            {str(n): "," for n in range(MAX_VALUES)},
        ),
    ],
)
def test_good_json_is_read(raw: bytes, value: Any) -> None:
    assert parse(raw) == value or value is None


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"[1,]",
        b'{"a": NaN',
        b'{"NaN": 1',
        b'"\\x"',
        b'"\\uZZZZ"',
        b'"\xff"',
        b'\xef\xbb\xbf{"a": 1}',
        b"{} {}",
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        b"[" * 100_000 + b"]" * 100_000,
        b"[" + b'\\"' * 300_000,
    ],
)
def test_what_is_no_json_is_malformed(raw: bytes) -> None:
    with pytest.raises(MalformedJSON):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "pointer"),
    [
        (b'{"a": 1, "a": 1}', "/body"),
        (b'{"a": NaN}', "/body"),
        (b'{"a": [-Infinity]}', "/body"),
        (b'"\\ud800"', "/body"),
        (b'"\\ud800\\u0041"', "/body"),
        (b'{"\\udc00": 1}', "/body"),
        (b"9" * 5000, "/body"),
        (b'{"a": ["b", "\\u0000"]}', "/body/a/1"),
        (b'{"a": {"\\u0000": 1}}', "/body/a"),
        (b'{"a/b": {"~": "\\u0000"}}', "/body/a~1b/~0"),
    ],
)
def test_what_nobody_can_use_is_refused_where_it_stands(
    raw: bytes, pointer: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        parse(raw)
    assert [error.pointer for error in caught.value.errors] == [pointer]


@pytest.mark.parametrize(
    "raw",
    [
        b"[" + b",".join([b"1"] * (MAX_VALUES + 2)) + b"]",
        b"[" + b",".join([b'",\\",]"'] * (MAX_VALUES + 2)) + b"]",
        b"{" + b",".join(b'"%d":""' % n for n in range(MAX_VALUES + 2)) + b"}",
        b"[" + b",".join([b"[" * 60 + b"]" * 60] * 8000) + b"]",
        b"[" + b",".join([b'{"a":' * 60 + b'"\\u0000"' + b"}" * 60] * 3000) + b"]",
        # Judged in one pass, though no string of it ends.
        b"," * (MAX_VALUES + 1) + b'"' + b'\\"' * 400_000,
    ],
)
def test_too_many_values_are_too_large(raw: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        parse(raw)
