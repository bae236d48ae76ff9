"""Hashing in turn, off the event loop."""

import asyncio
from collections.abc import Iterator

import pytest

from app.errors import Unavailable
from app.security.passwords import Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    hashing = Passwords(threads=1)
    yield hashing
    hashing.close()


async def test_too_long_a_queue_is_refused(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.security.passwords.MAX_WAITING", 3)
    attempts = (passwords.verify("any", None) for _ in range(5))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Unavailable) for result in results) == 2
    assert not (await passwords.verify("any", None)).is_right


async def test_nobodys_password_is_never_right(passwords: Passwords) -> None:
    verdict = await passwords.verify("any", None)
    assert (verdict.is_right, verdict.is_outdated) == (False, False)
