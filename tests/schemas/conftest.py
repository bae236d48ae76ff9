"""Somebody who asks the operations of these tests."""

from collections.abc import AsyncIterator

import pytest
from httpx2 import AsyncClient

from tests.conftest import client_of
from tests.schemas.listed import APP


@pytest.fixture
async def client() -> AsyncIterator[AsyncClient]:
    async with client_of(APP) as client:
        yield client
