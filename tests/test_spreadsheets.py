"""CSV that is safe to open."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from app.spreadsheets import begun, neutral, stream_csv, to_csv

FORMULAS = (
    *("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "=", "-"),
    *("\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20A1"),  # full-width
    *("\ufe661", "\ufe621", "\ufe631", "\ufe6bA"),  # small
    *(
        " =1+1",
        "\u00a0=1",
        "\u3000\uff1d1",
        "  \t-1",
        "\u200b=1",
        '=HYPERLINK("https://x.y")',
    ),
)
HARMLESS = (
    *("", " ", "a", "a=b", "1-2", "'", '"', '{"a": 1}', "Ada, Countess", "é", "日本"),
    *("\u2019=1", "(1)", "/path", "https://x.y"),
)


class TestNeutral:
    @pytest.mark.parametrize("text", FORMULAS)
    def test_puts_an_apostrophe_before_what_would_run(self, text: str) -> None:
        assert neutral(text) == f"'{text}"

    @pytest.mark.parametrize(
        ("text", "safe"), [("x;=1", "x;'=1"), ("a; @b;c", "a; '@b;c"), (";-1", ";'-1")]
    )
    def test_does_so_where_some_begin_another_cell(self, text: str, safe: str) -> None:
        assert neutral(text) == safe

    @pytest.mark.parametrize("text", HARMLESS)
    def test_leaves_everything_else(self, text: str) -> None:
        assert neutral(text) == text


class TestToCSV:
    def test_is_read_back_as_it_was_whatever_is_in_a_cell(self) -> None:
        rows = [["a,b", 'say "x"', "two\r\nlines", "one\nmore", "old\rmac", " é "]]
        written = to_csv([*rows, *rows])
        assert written.count(b"\r\n") == 2 + 2  # two of them inside of cells
        text = io.StringIO(written.decode(), newline="")
        assert list(csv.reader(text, strict=True)) == rows * 2

    def test_writes_values_as_programs_read_them(self) -> None:
        moment = datetime(2026, 1, 31, 13, 0, 0, 1, tzinfo=timezone(timedelta(hours=1)))
        row = [None, True, False, -5, Decimal("-1.50"), UUID(int=1), moment]
        row += [datetime(2026, 1, 31, tzinfo=UTC)]
        assert to_csv([row]).decode() == (
            ",true,false,-5,-1.50,00000000-0000-0000-0000-000000000001,"
            "2026-01-31T12:00:00.000001Z,2026-01-31T00:00:00Z\r\n"
        )


class TestStreamCSV:
    async def test_has_the_names_once(self) -> None:
        async def batches(*given: list[list[str]]) -> AsyncIterator[list[list[str]]]:
            for batch in given:
                yield batch

        pieces = stream_csv(["a"], batches([["1"], ["2"]], [["3"]]))
        assert [piece async for piece in pieces] == [b"a\r\n1\r\n2\r\n", b"3\r\n"]
        assert [piece async for piece in stream_csv(["a"], batches([]))] == [b"a\r\n"]


class TestBegun:
    async def test_fails_before_the_first_piece_and_not_later(self) -> None:
        async def pieces(*, good: int) -> AsyncIterator[int]:
            for number in range(good):
                yield number
            raise LookupError

        with pytest.raises(LookupError):
            await begun(pieces(good=0))
        rest = await begun(pieces(good=2))
        assert [await anext(rest), await anext(rest)] == [0, 1]
        with pytest.raises(LookupError):
            await anext(rest)
