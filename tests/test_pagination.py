"""Pages, and the cursors between them."""

import base64
import string

import pytest

from app.errors import ValidationFailed
from app.pagination import MAX_CURSOR, Cursors, PageRequest, Slice

PLACE = b'["2026-01-31T12:00:00.000001Z","0198-7"]'
BINDING = b'["users",[],[["created_at",true]],[]]'
URL_SAFE = string.ascii_letters + string.digits + "-_"


@pytest.fixture
def cursors() -> Cursors:
    return Cursors([b"k" * 32])


def assert_refused(cursors: Cursors, cursor: str, binding: bytes = BINDING) -> None:
    with pytest.raises(ValidationFailed) as refused:
        cursors.open(cursor, binding=binding)
    (error,) = refused.value.errors
    assert (error.pointer, error.code) == ("/query/cursor", "invalid_cursor")


class TestCursors:
    @pytest.mark.parametrize("place", [b"", b"[1]", PLACE, "é\u2028".encode()])
    def test_one_opens_what_was_sealed(self, cursors: Cursors, place: bytes) -> None:
        cursor = cursors.seal(place, binding=BINDING)
        assert set(cursor) <= set(URL_SAFE)
        assert cursors.open(cursor, binding=BINDING) == place

    def test_every_changed_bit_is_noticed(self, cursors: Cursors) -> None:
        cursor = cursors.seal(PLACE, binding=BINDING)
        padded = cursor + "=" * (-len(cursor) % 4)
        sealed = base64.urlsafe_b64decode(padded)
        for bit in range(len(sealed) * 8):
            changed = bytearray(sealed)
            changed[bit // 8] ^= 1 << bit % 8
            encoded = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            assert_refused(cursors, encoded)

    def test_every_changed_character_is_noticed(self, cursors: Cursors) -> None:
        cursor = cursors.seal(PLACE, binding=BINDING)
        for at, right in enumerate(cursor):
            for wrong in set(URL_SAFE) - {right}:
                assert_refused(cursors, cursor[:at] + wrong + cursor[at + 1 :])

    def test_every_other_length_is_noticed(self, cursors: Cursors) -> None:
        cursor = cursors.seal(PLACE, binding=BINDING)
        for length in range(len(cursor)):
            assert_refused(cursors, cursor[:length])
        for more in ("A", "=", "==", "\n", " ", "."):
            assert_refused(cursors, cursor + more)
            assert_refused(cursors, more + cursor)

    @pytest.mark.parametrize(
        "garbage",
        ["", "x", "é", "\0", "\ud800", "+/+/", "=" * 8, "A" * 1000, "A" * MAX_CURSOR],
    )
    def test_garbage_is_refused(self, cursors: Cursors, garbage: str) -> None:
        assert_refused(cursors, garbage)

    def test_what_is_too_long_is_refused(self, cursors: Cursors) -> None:
        assert_refused(cursors, cursors.seal(b"x" * MAX_CURSOR, binding=BINDING))

    def test_one_is_good_for_its_binding_only(self, cursors: Cursors) -> None:
        cursor = cursors.seal(PLACE, binding=BINDING)
        for other in (b"", BINDING[:-1], BINDING + b" ", BINDING + PLACE):
            assert_refused(cursors, cursor, other)

    def test_binding_and_place_are_not_mixed_up(self, cursors: Cursors) -> None:
        cursor = cursors.seal(b"bc", binding=b"a")
        sealed = base64.urlsafe_b64decode(cursor)
        moved = base64.urlsafe_b64encode(sealed[:16] + b"c").decode().rstrip("=")
        assert_refused(cursors, moved, b"ab")


class TestKeys:
    def test_the_previous_one_opens_and_does_not_seal(self) -> None:
        old, new = Cursors([b"old"]), Cursors([b"new"])
        rotated = Cursors([b"new", b"old"])
        sealed_before = old.seal(PLACE, binding=BINDING)
        assert rotated.open(sealed_before, binding=BINDING) == PLACE
        sealed_now = rotated.seal(PLACE, binding=BINDING)
        assert new.open(sealed_now, binding=BINDING) == PLACE
        assert_refused(old, sealed_now)
        assert_refused(new, sealed_before)

    def test_one_is_needed(self) -> None:
        with pytest.raises(ValueError, match="key"):
            Cursors([])


class TestPage:
    @pytest.mark.parametrize(
        ("total", "pages"), [(0, 0), (1, 1), (50, 1), (51, 2), (10_000, 200)]
    )
    def test_counts_pages(self, total: int, pages: int) -> None:
        page = Slice[int].numbered([], PageRequest(), total=total, next_cursor=None)
        assert (page.total, page.pages) == (total, pages)
        assert (page.page, page.size) == (1, 50)

    def test_knows_no_pages_without_a_total(self) -> None:
        request = PageRequest(page=3)
        page = Slice[int].numbered([], request, total=None, next_cursor="x")
        assert (page.total, page.page, page.pages) == (None, 3, None)

    def test_has_no_number_behind_a_cursor(self) -> None:
        page = Slice.after_cursor([1], PageRequest(size=1), next_cursor="x")
        assert page == Slice([1], None, None, 1, None, "x")
