"""The policy is complete, and no cell of it changes unseen."""

from itertools import product

import pytest

from app.policy import GRANTS, OPERATIONS, Permission, Role, Who, Within
from tests.contract.operations import OPERATIONS as EVERY
from tools import policy

PROBES = {"probe"}
REQUESTS = list(policy.requests())
RULES = [
    *Who,
    *(
        Within(permission, *flags)
        for permission in Permission
        for flags in product((True, False), repeat=3)
    ),
]
CELLS = [(role, permission) for role in Role for permission in Permission]


def document() -> str:
    return policy.DOCUMENT.read_text()


def test_each_operation_has_a_row_and_each_row_an_operation() -> None:
    assert {one.id for one in EVERY} - PROBES == OPERATIONS.keys()


def test_the_document_shows_the_tables_of_now() -> None:
    assert policy.rendered(document()) == document()


def test_a_higher_role_may_do_all_that_a_lower_one_may() -> None:
    for lower, higher in zip(list(Role), list(Role)[1:], strict=False):
        assert GRANTS[lower] < GRANTS[higher]


@pytest.mark.parametrize(("role", "permission"), CELLS)
def test_no_right_of_a_role_changes_unseen(
    role: Role, permission: Permission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(GRANTS, role, GRANTS[role] ^ {permission})
    assert policy.rendered(document()) != document()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_rule_of_an_operation_changes_unseen(
    operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, rule = document(), OPERATIONS[operation]
    monkeypatch.setattr(policy, "requests", lambda: REQUESTS)  # read once for all
    for other in RULES:
        if other != rule:
            monkeypatch.setitem(OPERATIONS, operation, other)
            assert policy.rendered(shown) != shown, other
