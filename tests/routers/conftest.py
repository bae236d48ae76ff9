"""An application whose mails arrive, shared by the tests of all flows of mails."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from tests.databases import Databases
from tests.mailbox import Post, post


@pytest.fixture(scope="session")
async def one_post(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Post]:
    async with post(databases, tmp_path_factory.mktemp("post")) as one:
        yield one


@pytest.fixture
def mails(one_post: Post, monkeypatch: pytest.MonkeyPatch) -> Post:
    """Mails of an application; each test has addresses of its own."""
    monkeypatch.setattr("app.services.recovery.LONGEST_DELAY", timedelta(0))
    return one_post
