"""Which passwords are too easy to guess."""

import pytest

from app.security.weak_passwords import common_passwords, weakness

CONTEXT = ("ada.lovelace@example.com", "Ada Lovelace", "Zenith API")


def test_the_list_is_a_long_one() -> None:
    assert sum(len(password) >= 8 for password in common_passwords()) >= 10_000


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("password123", "most common"),
        ("PassWord1", "most common"),
        ("iloveyou", "most common"),
        ("aaaaaaaaaaaaaaaa", "repeats"),
        ("abcabcabcabc", "repeats"),
        ("lovelace1815", "made of"),
        ("Ada.Lovelace@example.com", "made of"),
        ("zenith-2026", "made of"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}dalovelace", "made of"),
    ],
)
def test_what_an_attacker_tries_first_is_weak(password: str, reason: str) -> None:
    found = weakness(password, context=CONTEXT)
    assert found is not None
    assert reason in found


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "ada likes long walks",
        "xK9#mQ2v",
        "пароль-от-почты",
        "        leading spaces",
    ],
)
def test_there_are_no_rules_of_composition(password: str) -> None:
    assert weakness(password, context=CONTEXT) is None
