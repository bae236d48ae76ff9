"""Conditional requests."""

from dataclasses import dataclass
from uuid import UUID

import pytest

from app import __version__
from app.errors import PreconditionFailed
from app.preconditions import IfMatch, etag, is_known


@dataclass(frozen=True)
class Row:
    id: UUID
    version: int


ONE, OTHER = UUID(int=1), UUID(int=2)
ROW = Row(ONE, 3)
TAG, OLD = etag(ROW), etag(Row(ONE, 2))
OLD_ZENITH = TAG.replace(__version__, "0.0.9")


class TestEtag:
    def test_is_strong_and_names_row_version_and_zenith(self) -> None:
        assert f'"{ONE.hex}-3-{__version__}"' == TAG
        assert len({TAG, OLD, etag(Row(ONE, 33)), etag(Row(OTHER, 3))}) == 4


class TestIfMatch:
    @pytest.mark.parametrize(
        "header",
        [None, "*", " * ", TAG, f'"x", {TAG}', f'{TAG},"y"', OLD_ZENITH],
    )
    def test_lets_the_state_pass_that_it_names(self, header: str | None) -> None:
        IfMatch(header).check(ROW)

    @pytest.mark.parametrize(
        "header",
        [
            "",
            OLD,
            etag(Row(ONE, 33)),
            etag(Row(OTHER, 3)),
            f"W/{TAG}",
            "3",
            '"',
            '""',
            TAG[:-1],
            "é",
            '"*"',
        ],
    )
    def test_stops_every_other(self, header: str) -> None:
        with pytest.raises(PreconditionFailed):
            IfMatch(header).check(ROW)


class TestIsKnown:
    @pytest.mark.parametrize(
        "header", ["*", TAG, f"W/{TAG}", f'"x", {TAG}', f'W/"y",{TAG}']
    )
    def test_sees_the_current_one(self, header: str) -> None:
        assert is_known(header, ROW)

    @pytest.mark.parametrize(
        "header", ["", OLD, etag(Row(OTHER, 3)), OLD_ZENITH, '"3"', "3", '"', "é"]
    )
    def test_sees_no_other(self, header: str) -> None:
        assert not is_known(header, ROW)
