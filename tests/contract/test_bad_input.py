"""Hostile input in every place of every operation, those of tomorrow too.

The operations come from the OpenAPI document; a new one is tested as soon as it is
there.
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from urllib.parse import quote

import pytest
from fastapi import FastAPI

from app.config import Settings
from app.db.connections import Connection
from app.models import Base
from tests.contract.answers import pointers, without_identity
from tests.contract.bad_input import BadBody, bad_bodies, bad_queries
from tests.contract.conftest import Complaints, every, send
from tests.contract.operations import JSON, OPERATIONS, Operation
from tests.contract.samples import SAMPLES, sample_of
from tests.contract.scenes import FOR_SUPERUSERS, Scene, scene_of

WITH_BODY = [operation for operation in OPERATIONS if operation.has_body]
WITH_JSON = [operation for operation in OPERATIONS if operation.body is not None]
WITH_PATH = [operation for operation in OPERATIONS if operation.parameters("path")]

PROBE = "probe"  # it takes any id
MISSING_ID = "01890000-0000-7000-8000-000000000000"
NO_IDS = (
    "x",
    "1",
    "-1",
    "null",
    "%00",
    "%ff",
    "%ED%A0%80",
    "%2e%2e",
    "%2f",
    "%0d%0aX-Injected:%201",
    "9" * 100,
    "a" * 5000,
    "00000000-0000-0000-0000-00000000000g",
    MISSING_ID[:-1],
    f"{MISSING_ID}0",
    f"{MISSING_ID}%00",
    f"{MISSING_ID}%20",
    quote("' OR 1=1--"),
    quote('{"a": 1}'),
    quote("\u0661\u2028\x1b[31m"),
)

MISSING_IDS = (
    MISSING_ID,
    f"{{{MISSING_ID}}}",
    f"urn:uuid:{MISSING_ID}",
    MISSING_ID.replace("-", ""),
    "0" * 32,
)


async def snapshot(owner: Connection) -> dict[str, str]:
    """Return a fingerprint of every row of every table."""
    return {
        table.name: await owner.fetchval(
            f"SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table.name} t"
        )
        for table in Base.metadata.sorted_tables
    }


def headers_of(bad: BadBody) -> dict[str, str]:
    given = {"Content-Type": bad.media_type, "Content-Encoding": bad.encoding}
    return {name: value for name, value in given.items() if value is not None}


class TestSamples:
    def test_no_sample_is_left_of_an_operation_that_is_gone(self) -> None:
        assert SAMPLES.keys() <= {operation.id for operation in OPERATIONS}

    async def test_an_operation_without_one_fails_and_says_where_it_goes(
        self, scene: Scene
    ) -> None:
        body = {"requestBody": {"content": {JSON: {"schema": {"type": "object"}}}}}
        new = Operation("create_thing", "POST", "/things", body, {})
        with pytest.raises(AssertionError, match=r"samples\.py.*'create_thing'"):
            await sample_of(new, scene)

    @every([one for one in OPERATIONS if not one.has_body or one.body is not None])
    async def test_each_is_taken_as_it_is(
        self, operation: Operation, scene: Scene
    ) -> None:
        sample = await sample_of(operation, scene)
        response = await send(scene, operation, sample)
        assert response.is_success, response.text


class TestBody:
    @every(WITH_JSON)
    async def test_nothing_wrong_is_taken_and_nothing_changes(
        self,
        operation: Operation,
        scene: Scene,
        found: Complaints,
        owner_connection: Connection,
    ) -> None:
        sample = await sample_of(operation, scene)
        before = await snapshot(owner_connection)
        for bad in bad_bodies(operation, sample.body):
            headers = headers_of(bad)
            response = await send(
                scene, operation, sample, content=bad.content, headers=headers
            )
            found.about(bad.name, response, status=bad.status)
            if bad.pointer and bad.pointer not in pointers(response):
                found.add(bad.name, f"no word of {bad.pointer}")
        found.assert_none()
        assert await snapshot(owner_connection) == before

    @every(WITH_BODY)
    async def test_what_is_too_large_is_refused_announced_or_in_chunks(
        self, operation: Operation, scene: Scene, settings: Settings, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        media_type, *_ = operation.definition["requestBody"]["content"]
        headers = {"Content-Type": media_type}
        size = settings.MAX_BODY_BYTES + 1

        async def chunks() -> AsyncIterator[bytes]:
            for _ in range(size // 1000 + 1):
                yield b"a" * 1000

        for name, content in (("announced", b"a" * size), ("in chunks", chunks())):
            response = await send(
                scene, operation, sample, content=content, headers=headers
            )
            found.about(name, response, status=413)
        found.assert_none()

    @every(WITH_JSON)
    async def test_spellings_of_the_right_media_type_are_taken(
        self, operation: Operation, probed: FastAPI
    ) -> None:
        for media_type in (
            "Application/JSON",
            'application/json; charset="UTF-8"',
            "application/json;charset=utf8",
        ):
            scene = await scene_of(probed, operation)
            sample = await sample_of(operation, scene)
            headers = {"Content-Type": media_type, "Content-Encoding": "identity"}
            response = await send(
                scene, operation, sample, json=sample.body, headers=headers
            )
            assert response.is_success, response.text


class TestQuery:
    @every([operation for operation in OPERATIONS if operation.parameters("query")])
    async def test_no_bad_value_is_taken(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        url = operation.path.format(**sample.path)
        for query in bad_queries(operation):
            response = await send(scene, operation, sample, url=f"{url}?{query}")
            found.about(query[:80], response, status=422)
        found.assert_none()

    @every(OPERATIONS)
    async def test_no_query_is_a_fault_of_ours(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        url = operation.path.format(**sample.path)
        for query in ("%00", "%ff=%ff", "a=%ED%A0%80", "&&==", "x" * 5000, "a[]=1&a=2"):
            response = await send(scene, operation, sample, url=f"{url}?{query}")
            if response.status_code >= 500:
                found.add(query[:80], f"{response.status_code}")
        found.assert_none()


class TestPath:
    @every(WITH_PATH)
    async def test_what_is_no_id_is_not_found(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        ids = NO_IDS if operation.id == PROBE else (*NO_IDS, *MISSING_IDS)
        for name, wrong in itertools.product(sample.path, ids):
            if operation.is_number(name) and wrong == "1":
                continue  # which may be one
            url = operation.path.format(**{**sample.path, name: wrong})
            response = await send(scene, operation, sample, url=url)
            found.about(f"{name} = {wrong[:60]}", response, status=404)
        found.assert_none()

    @every([o for o in WITH_PATH if o.is_secured and o.id not in FOR_SUPERUSERS])
    async def test_what_is_anothers_is_not_found_as_if_it_were_missing(
        self, operation: Operation, scene: Scene
    ) -> None:
        sample = await sample_of(operation, scene)
        theirs = await sample_of(operation, await scene_of(scene.app, operation))
        for name in sample.path:
            foreign, missing = [
                await send(scene, operation, replace(sample, path=path))
                for path in (
                    {**sample.path, name: theirs.path[name]},
                    {**sample.path, name: MISSING_ID},
                )
            ]
            assert foreign.status_code == 404
            assert without_identity(foreign) == without_identity(missing)

    @every(OPERATIONS)
    async def test_a_slash_more_is_another_path(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        url = operation.path.format(**sample.path)
        for wrong in (
            f"{url}/",
            f"{url}//",
            f"/{url}",
            url.replace("/", "//"),
            f"{url}%2f",
        ):
            response = await send(
                scene, operation, sample, url=f"http://localhost{wrong}"
            )
            found.about(wrong, response, status=404)
        found.assert_none()
