"""A valid request of each operation, to be spoiled in one place at a time.

An operation that has a JSON body or a parameter in its path needs an entry here; the
suite fails until it has one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from fastapi import FastAPI

from tests.contract.operations import Operation
from tests.factories.users import Account, account, registration

SECRET = "zq7Xw4-marker-of-the-input"  # no answer may hold it


@dataclass(frozen=True)
class Scene:
    """Somebody, and what is theirs."""

    app: FastAPI
    caller: Account


@dataclass(frozen=True)
class Sample:
    """A request that is valid but for what a test changes."""

    body: dict[str, Any] = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)


async def scene_of(app: FastAPI) -> Scene:
    return Scene(app, await account(app))


async def register(_: Scene) -> Sample:
    email = f"{SECRET}-{uuid4().hex}@example.com"
    password = f"{SECRET} and correct horse"
    return Sample(registration(email=email, password=password, full_name=SECRET))


async def update_own_user(_: Scene) -> Sample:
    return Sample({"full_name": SECRET})


async def get_user(scene: Scene) -> Sample:
    return Sample(path={"user_id": str(scene.caller.user.id)})


async def probe(_: Scene) -> Sample:
    body = {
        "email": f"{SECRET}@example.com",
        "name": SECRET,
        "note": SECRET,
        "amount": 9_876_543,
        "ratio": 0.5,
        "is_new": True,
        "kind": "small",
        "lines": [{"product_id": str(uuid4()), "quantity": 1}],
    }
    return Sample(body, path={"id": str(uuid4())})


SAMPLES: Mapping[str, Callable[[Scene], Awaitable[Sample]]] = {
    "register": register,
    "update_own_user": update_own_user,
    "get_user": get_user,
    "probe": probe,
}


def needs_sample(operation: Operation) -> bool:
    return operation.body is not None or bool(operation.parameters("path"))


async def sample_of(operation: Operation, scene: Scene) -> Sample:
    if operation.id in SAMPLES:
        return await SAMPLES[operation.id](scene)
    assert not needs_sample(operation), (
        f"{operation.method} {operation.path} needs a valid request in"
        f" tests/contract/samples.py, under its operation id {operation.id!r}."
    )
    return Sample()
