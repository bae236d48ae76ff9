"""Conditional requests of every operation that has them, those of tomorrow too."""

from tests.contract.conftest import Complaints, every, send
from tests.contract.operations import OPERATIONS, Operation
from tests.contract.samples import sample_of
from tests.contract.scenes import Scene

STALE = ('"stale"', 'W/"stale", "x"', '""', "stale")


def having(name: str) -> list[Operation]:
    return [
        operation
        for operation in OPERATIONS
        if name in {parameter["name"] for parameter in operation.parameters("header")}
    ]


def _is_list(operation: Operation) -> bool:
    return "cursor" in {one["name"] for one in operation.parameters("query")}


class TestIfMatch:
    @every(having("If-Match"))
    async def test_a_stale_one_is_refused(
        self, operation: Operation, scene: Scene, found: Complaints
    ) -> None:
        sample = await sample_of(operation, scene)
        for tag in STALE:
            headers = {"If-Match": tag}
            response = await send(scene, operation, sample, headers=headers)
            found.about(tag, response, status=412)
        found.assert_none()
        headers = {"If-Match": "*"}
        assert (await send(scene, operation, sample, headers=headers)).is_success


class TestIfNoneMatch:
    @every(having("If-None-Match"))
    async def test_what_is_known_is_not_sent(
        self, operation: Operation, scene: Scene
    ) -> None:
        sample = await sample_of(operation, scene)
        tag = (await send(scene, operation, sample)).headers["etag"]
        for known in (tag, f"W/{tag}", "*"):
            headers = {"If-None-Match": known}
            response = await send(scene, operation, sample, headers=headers)
            assert (response.status_code, response.content) == (304, b"")
            assert response.headers["etag"] == tag
        for other in STALE:
            headers = {"If-None-Match": other}
            response = await send(scene, operation, sample, headers=headers)
            assert response.status_code == 200

    @every(
        [
            operation
            for operation in OPERATIONS
            if operation.method == "GET"
            and operation.parameters("path")
            # A history grows by itself: there is nothing to compare with. An export
            # is written while it is sent.
            and operation.id != "get_job"
            and not operation.id.startswith("export_")
            and not _is_list(operation)
        ]
    )
    def test_each_single_resource_has_it(self, operation: Operation) -> None:
        assert operation in having("If-None-Match")
