"""Everybody tries everything: the policy's tables are what the code does.

What a role may do is read out of the document that people read.
"""

import re
from dataclasses import replace

import pytest
from fastapi import FastAPI
from httpx2 import Response

from app.policy import OPERATIONS, Permission, Role, Rule, Who, Within
from tests.contract.conftest import every, send
from tests.contract.operations import OPERATIONS as EVERY
from tests.contract.operations import Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import PASSWORD, Sample
from tests.everybody import KEYS, READING, ROLES, Everybody, Kind, everybody
from tests.factories.organizations import member
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


ENDS_PEOPLE = {
    "log_out",
    "end_session",
    "end_other_sessions",
    "change_password",
    "reset_password",
    "delete_account",
}
"""What everybody does to themselves, so that they are not who they were."""
ENDS_ORGANIZATIONS = {"delete_organization", "transfer_organization"}
"""What leaves nothing for the next one to do."""


def expected(rule: Rule, kind: Kind, *, about_oneself: bool = False) -> tuple[int, str]:
    """Return the answer that the policy wants somebody to get."""
    if rule == Who.ANYBODY:
        return ALLOWED
    if kind in {Kind.ANONYMOUS, Kind.EXPIRED_KEY}:
        return UNKNOWN
    if isinstance(rule, Within):
        return _expected_within(rule, kind, about_oneself=about_oneself)
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


def _expected_within(
    rule: Within, kind: Kind, *, about_oneself: bool
) -> tuple[int, str]:
    if kind in {Kind.OUTSIDER, Kind.EX_MEMBER, Kind.SUPERUSER, Kind.FOREIGN_KEY}:
        return MISSING
    if rule.or_oneself and about_oneself and kind not in KEYS:
        return FORBIDDEN if kind == Kind.IMPERSONATOR else ALLOWED
    if kind == Kind.READ_ONLY_KEY and rule.permission not in READING:
        return FORBIDDEN
    if kind in KEYS and not rule.keys:
        return NO_PERSON
    if kind == Kind.IMPERSONATOR and not rule.impersonators:
        return FORBIDDEN
    role = ROLES.get(kind, Role.OWNER)  # whose key it is, and who is acted as
    return ALLOWED if GRANTED[rule.permission, role] else FORBIDDEN


def whose(rule: Rule, kind: Kind) -> Kind:
    """Tell whose things a request is about: the organization's, or one's own."""
    if isinstance(rule, Within) or rule == Who.ONESELF:
        return Kind.OWNER
    superusers = {Who.SUPERUSER, Who.SUPERUSER_UNSEEN}
    return Kind.SUPERUSER if rule in superusers else kind


def verdict(response: Response) -> tuple[int, str]:
    if response.status_code in {401, 403, 404}:
        return response.status_code, response.json()["code"]
    assert response.is_success or response.json()["code"] == "invalid_request"
    return ALLOWED


@pytest.fixture(scope="module")
async def shared(app: FastAPI) -> Everybody:
    """One world for all operations that leave it as it was."""
    return await with_passwords(app)


async def with_passwords(app: FastAPI) -> Everybody:
    return await everybody(app, password_hash=await hash_of(app, PASSWORD))


def refused_first(rule: Rule) -> list[Kind]:
    return sorted(Kind, key=lambda kind: expected(rule, kind) == ALLOWED)


@every([one for one in EVERY if one.id in OPERATIONS])
async def test_everybody_gets_the_answer_of_the_policy(
    operation: Operation, app: FastAPI, shared: Everybody
) -> None:
    world, rule = shared, OPERATIONS[operation.id]
    if operation.id in ENDS_PEOPLE:
        world = await with_passwords(app)
    samples: dict[Kind, Sample] = {}
    for kind in refused_first(rule):
        is_allowed = expected(rule, kind) == ALLOWED
        if is_allowed and operation.id in ENDS_ORGANIZATIONS:
            world = await with_passwords(app)
        owner = whose(rule, kind)
        scene = world.scene(owner)
        if is_allowed or owner not in samples:  # what was refused is as it was
            samples[owner] = await sample_of(operation, scene)
        client = world.clients[kind]
        response = await send(scene, operation, samples[owner], client=client)
        assert verdict(response) == expected(rule, kind), (kind, response.text)


async def test_nothing_has_changed_who_everybody_is(shared: Everybody) -> None:
    """Make sure of the shared world, in whatever order it was used."""
    me, ours = "/api/v1/users/me", shared.tenant.path
    for kind, client in shared.clients.items():
        answers = [await client.get(me), await client.get(ours)]
        for id_, answer in zip(
            ("get_own_user", "get_organization"), answers, strict=True
        ):
            assert verdict(answer) == expected(OPERATIONS[id_], kind), kind
        if answers[1].is_success:
            assert answers[1].json()["role"] == ROLES.get(kind, Role.OWNER)


ABOUT_ONESELF = [
    one for one in EVERY if getattr(OPERATIONS.get(one.id), "or_oneself", False)
]


@every(ABOUT_ONESELF)
@pytest.mark.parametrize("kind", Kind)
async def test_about_oneself_a_member_needs_no_permission(
    operation: Operation, kind: Kind, app: FastAPI
) -> None:
    world = await everybody(app)
    await member(app, world.tenant, Role.OWNER)  # or the owner would have to stay
    sample = await sample_of(operation, world.scene(Kind.OWNER))
    own = {"user_id": str(world.scene(kind).caller.user.id)}
    sample = replace(sample, path=sample.path | own)
    client = world.clients[kind]
    response = await send(world.scene(kind), operation, sample, client=client)
    answer = expected(OPERATIONS[operation.id], kind, about_oneself=True)
    if kind == Kind.FULL_KEY:
        answer = NO_PERSON  # its creator is another, and an owner
    assert verdict(response) == answer, response.text
