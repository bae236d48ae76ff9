"""Forged API keys at every operation that takes one, and keys where tokens belong."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.policy import Permission
from app.security.api_keys import ApiKeys
from tests.conftest import client_of
from tests.contract.answers import without_identity
from tests.contract.conftest import Complaints, every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import Scene
from tests.factories.api_keys import HEADER, Program, api_key

KEYED = [
    operation
    for operation in OPERATIONS
    if {"APIKeyHeader": []} in operation.definition.get("security", [])
]


def forged_keys(valid: str) -> dict[str, str | bytes]:
    """Return values of the header that are no good key, by name."""
    stranger = ApiKeys([b"another installation's"]).make().text
    return {
        "an unknown one": stranger,
        "a wrong checksum": valid[:-7] + stranger[-7:],
        "another character": valid[:9] + ("a" if valid[9] != "a" else "b") + valid[10:],
        "cut short": valid[:-1],
        "longer": f"{valid}a",
        "in capitals": valid.upper(),
        "without its brand": valid.removeprefix("zen_"),
        "another brand": valid.replace("zen_", "zem_"),
        "the brand alone": "zen_",
        "empty": "",
        "a space": " ",
        "a space before": f" {valid}",
        "a space behind": f"{valid} ",
        "a space inside": f"{valid[:10]} {valid[10:]}",
        "a tab behind": f"{valid}\t",
        "quoted": f'"{valid}"',
        "a scheme": f"Bearer {valid}",
        "twice": f"{valid}, {valid}",
        "a NUL": f"{valid}\0".encode(),
        "UTF-8": f"{valid}é\u2028".encode(),
        "Latin-1": "zen_é".encode("latin-1"),
        "full width": valid.replace("zen", "\uff5a\uff45\uff4e").encode(),
        "all bytes": bytes(range(128, 256)),
        "100 KB": "a" * 100_000,
        "100 KB of a brand": "zen_" + "a" * 100_000,
        "SQL": "' OR 1=1--",
        "a pattern": "zen_%",
        "a null": "null",
        "a token": "eyJhbGciOiJIUzI1NiJ9.e30.x",
    }


FEW = ("an unknown one", "cut short", "empty", "full width")
"""Of each operation; of the first of each router, all."""
FIRST = {one.definition["tags"][0]: one.id for one in reversed(KEYED)}


def forgeries_at(operation: Operation, valid: str) -> dict[str, str | bytes]:
    every_one = forged_keys(valid)
    if operation.id in FIRST.values():
        return every_one
    return {name: every_one[name] for name in FEW}


@pytest.fixture
async def client(probed: FastAPI) -> AsyncIterator[AsyncClient]:
    """Somebody who shows nothing but what a test adds."""
    async with client_of(probed) as client:
        yield client


@pytest.fixture
async def key(probed: FastAPI, scene: Scene) -> Program:
    """A key that may do all that its creator may."""
    return await api_key(probed, await scene.tenant(), scene.caller, *Permission)


class TestForgedKeys:
    def test_there_are_operations_for_keys(self) -> None:
        assert {"get_organization", "get_members", "get_api_keys"} <= {
            operation.id for operation in KEYED
        }

    @every(KEYED)
    async def test_all_open_nothing_and_are_told_the_same(
        self,
        operation: Operation,
        scene: Scene,
        key: Program,
        client: AsyncClient,
        found: Complaints,
    ) -> None:
        sample = await sample_of(operation, scene)
        lines = [
            (name, [(HEADER, value)])
            for name, value in forgeries_at(operation, key.text).items()
        ]
        lines += [
            ("two headers", [(HEADER, key.text)] * 2),
            ("a good one first", [(HEADER, key.text), (HEADER, "x")]),
            ("a good one last", [(HEADER, ""), (HEADER, key.text)]),
        ]
        answers = []
        for name, credentials in lines:
            response = await send(
                scene, operation, sample, client=client, headers=_encoded(credentials)
            )
            found.about(name, response, status=401)
            answers.append(without_identity(response))
        found.assert_none()
        assert all(answer == answers[0] for answer in answers)

    @every(KEYED)
    async def test_a_good_key_and_a_token_are_too_much(
        self,
        operation: Operation,
        scene: Scene,
        key: Program,
        client: AsyncClient,
        found: Complaints,
    ) -> None:
        sample = await sample_of(operation, scene)
        given = {"good": key.text, **forgeries_at(operation, key.text)}
        token = ("Authorization", f"Bearer {scene.caller.token}")
        for name, value in given.items():
            credentials = [token, (HEADER, value)]
            response = await send(
                scene, operation, sample, client=client, headers=_encoded(credentials)
            )
            found.about(name, response, status=400)
            assert response.json()["code"] == "ambiguous_credentials"
        found.assert_none()

    async def test_a_good_key_is_no_token(
        self, scene: Scene, key: Program, client: AsyncClient
    ) -> None:
        org = (await scene.tenant()).path
        for path in ("/api/v1/users/me", org):
            for scheme in ("Bearer", "bearer", "ApiKey", "Basic"):
                headers = {"Authorization": f"{scheme} {key.text}"}
                answer = await client.get(path, headers=headers)
                assert answer.status_code == 401
                assert answer.json()["detail"] == "A valid access token is needed."
        assert (await client.get(org, params={HEADER: key.text})).status_code == 401
        client.cookies.set(HEADER, key.text)
        assert (await client.get(org)).status_code == 401


def _encoded(lines: list[tuple[str, str | bytes]]) -> list[tuple[bytes, bytes]]:
    return [
        (name.encode(), value if isinstance(value, bytes) else value.encode())
        for name, value in lines
    ]
