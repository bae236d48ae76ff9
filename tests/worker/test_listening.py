"""Many notices are one call; none is lost."""

import asyncio
import json

from app.worker.listening import PAUSE_SECONDS, Calls


def changed(operation: str) -> str:
    return json.dumps({"type": "table_changed_event", "operation": operation})


async def test_many_jobs_at_once_are_two_calls() -> None:
    heard: list[object] = []
    calls = Calls(heard.append)
    for _ in range(100):
        calls(changed("insert"))
    assert len(heard) == 1
    await asyncio.sleep(PAUSE_SECONDS * 5)
    assert len(heard) == 2  # the second one is for those that the first has not seen


async def test_a_later_job_is_a_call_of_its_own() -> None:
    heard: list[object] = []
    calls = Calls(heard.append)
    for count in (1, 2, 3):
        calls(changed("insert"))
        assert len(heard) == count
        await asyncio.sleep(PAUSE_SECONDS * 3)


async def test_only_new_jobs_are_news_and_other_notices_pass() -> None:
    heard: list[object] = []
    calls = Calls(heard.append)
    for operation in ("update", "delete", "truncate"):
        calls(changed(operation))
    assert heard == []
    probe = json.dumps({"type": "health_check_event", "id": "1"})
    calls(changed("insert"))
    calls(probe)
    assert heard[1:] == [probe]
