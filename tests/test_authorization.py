"""Everybody tries everything: the policy's tables are what the code does.

What a role may do is read out of the document that people read.
"""

import re

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.policy import OPERATIONS, Permission, Role, Rule, Who, Within
from tests.contract.conftest import send
from tests.contract.operations import OPERATIONS as EVERY
from tests.contract.operations import Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import ONCE, PASSWORD
from tests.everybody import KEYS, READING, ROLES, Everybody, Kind, everybody
from tests.factories.users import hash_of
from tools import policy

ALLOWED = (200, "")
UNKNOWN = (401, "unauthorized")
FORBIDDEN = (403, "forbidden")
NO_PERSON = (403, "user_required")
MISSING = (404, "not_found")

ROW = re.compile(r"^\| `([a-z:-]+)` \| (.+) \|$", re.MULTILINE)
GRANTED = {
    (Permission(permission), role): cell == policy.YES
    for permission, cells in ROW.findall(policy.DOCUMENT.read_text())
    for role, cell in zip(Role, cells.split(" | "), strict=False)
    if permission in set(Permission)
}


def expected(rule: Rule, kind: Kind) -> tuple[int, str]:
    """Return the answer that the policy wants somebody to get."""
    if rule == Who.ANYBODY:
        return ALLOWED
    if kind in {Kind.ANONYMOUS, Kind.EXPIRED_KEY}:
        return UNKNOWN
    if isinstance(rule, Within):
        return _expected_within(rule, kind)
    return NO_PERSON if kind in KEYS else _expected_of_person(rule, kind)


def _expected_of_person(rule: Who, kind: Kind) -> tuple[int, str]:
    if rule in {Who.SUPERUSER, Who.SUPERUSER_UNSEEN}:
        refusal = FORBIDDEN if rule == Who.SUPERUSER else MISSING
        return ALLOWED if kind == Kind.SUPERUSER else refusal
    if rule == Who.ONESELF:
        mine = {Kind.OWNER, Kind.IMPERSONATOR, Kind.SUPERUSER}
        return ALLOWED if kind in mine else MISSING
    acts = rule == Who.IN_PERSON and kind == Kind.IMPERSONATOR
    return FORBIDDEN if acts else ALLOWED


def _expected_within(rule: Within, kind: Kind) -> tuple[int, str]:
    if kind in {Kind.OUTSIDER, Kind.EX_MEMBER, Kind.SUPERUSER, Kind.FOREIGN_KEY}:
        return MISSING
    if kind == Kind.READ_ONLY_KEY and rule.permission not in READING:
        return FORBIDDEN
    if kind in KEYS and not rule.keys:
        return NO_PERSON
    if kind == Kind.IMPERSONATOR and not rule.impersonators:
        return FORBIDDEN
    role = ROLES.get(kind, Role.OWNER)  # whose key it is, and who is acted as
    return ALLOWED if GRANTED[rule.permission, role] else FORBIDDEN


async def ask(operation: Operation, world: Everybody, kind: Kind) -> Response:
    """Send a valid request: about what is the organization's, or one's own."""
    rule, whose = OPERATIONS[operation.id], kind
    if isinstance(rule, Within) or rule == Who.ONESELF:
        whose = Kind.OWNER
    elif rule in {Who.SUPERUSER, Who.SUPERUSER_UNSEEN}:
        whose = Kind.SUPERUSER
    scene = world.scene(whose)
    sample = await sample_of(operation, scene)
    return await send(scene, operation, sample, client=world.clients[kind])


def verdict(response: Response) -> tuple[int, str]:
    if response.status_code in {401, 403, 404}:
        return response.status_code, response.json()["code"]
    assert response.is_success or response.json()["code"] == "invalid_request"
    return ALLOWED


@pytest.mark.parametrize(
    "operation", [one for one in EVERY if one.id in OPERATIONS], ids=lambda one: one.id
)
async def test_everybody_gets_the_answer_of_the_policy(
    operation: Operation, app: FastAPI
) -> None:
    given = {"password_hash": await hash_of(app, PASSWORD)}
    world = await everybody(app, **given)
    rule = OPERATIONS[operation.id]
    refused_first = sorted(Kind, key=lambda kind: expected(rule, kind) == ALLOWED)
    for kind in refused_first:
        if expected(rule, kind) == ALLOWED and operation.id in ONCE:
            world = await everybody(app, **given)
        response = await ask(operation, world, kind)
        assert verdict(response) == expected(rule, kind), (kind, response.text)
