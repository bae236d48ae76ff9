"""What the tests of the contract share: somebody with something, and the way to ask."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response

from app.config import Settings
from tests.conftest import running
from tests.contract import probe
from tests.contract.answers import complaints
from tests.contract.operations import Operation
from tests.contract.scenes import Sample, Scene, scene_of


@pytest.fixture(scope="package")
async def probed(settings: Settings) -> AsyncIterator[FastAPI]:
    """The application and the tests' own operation, which has every kind of input."""
    async with running(settings) as app:
        app.include_router(probe.router)
        yield app


@pytest.fixture
async def scene(probed: FastAPI, request: pytest.FixtureRequest) -> Scene:
    """Somebody who may use the operation that the test is about."""
    case = getattr(request.node, "callspec", None)
    return await scene_of(probed, case.params.get("operation") if case else None)


class Complaints:
    """Collects what is wrong, so that one run shows all of it."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def about(self, name: str, response: Response, *, status: int) -> None:
        self.add(name, *complaints(response, status=status))

    def add(self, name: str, *found: str) -> None:
        self._found += [f"{name}: {complaint}" for complaint in found]

    def assert_none(self) -> None:
        assert not self._found, "\n".join(self._found)


@pytest.fixture
def found() -> Complaints:
    return Complaints()


def every(operations: list[Operation]) -> pytest.MarkDecorator:
    """Run a test for each of the operations."""
    return pytest.mark.parametrize("operation", operations, ids=lambda one: one.id)


async def send(
    scene: Scene,
    operation: Operation,
    sample: Sample,
    *,
    client: AsyncClient | None = None,
    **changes: Any,
) -> Response:
    """Send a sample as it is, but for ``changes``: arguments of the HTTP client."""
    request = {
        "method": operation.method,
        "url": operation.path.format(**sample.path),
        **changes,
    }
    if sample.query and not {"url", "params"} & changes.keys():
        request["params"] = sample.query
    if operation.body is not None and not {"json", "content"} & changes.keys():
        request["json"] = sample.body
    if sample.file and "content" not in changes:
        request["content"] = sample.file
        headers = {"Content-Type": "image/png"}
        request["headers"] = headers | changes.get("headers", {})
    return await (client or scene.caller.client).request(**request)
