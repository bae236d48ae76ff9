"""The jobs API, from outside."""

from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.connections import Connection
from app.queue import Job, Queue
from tests.contract.answers import complaints, pointers
from tests.factories.users import account
from tests.links import followed

JOBS = "/api/v1/admin/jobs"


class Chore(Job):
    """No worker works here, so it waits for as long as a test looks."""

    type = "test.chore"
    priority = 3
    n: int = 0


def new_type() -> str:
    return f"test.{uuid4().hex[:12]}"


async def put(session: AsyncSession, *, times: int = 1, type: str) -> list[int]:
    kind = type

    class Own(Chore):
        type = kind

    ids = [await Queue(session).put(Own(n=n)) for n in range(times)]
    await session.commit()
    return [id_ for id_ in ids if id_ is not None]


async def become(owner: Connection, id: int, status: str) -> None:
    change = "UPDATE jobs.queue SET status = $2, attempts = 4 WHERE id = $1"
    await owner.execute(change, id, status)


@pytest.fixture
async def superuser(app: FastAPI) -> AsyncClient:
    return (await account(app, is_superuser=True)).client


@pytest.fixture
async def job(session: AsyncSession) -> int:
    """A job that waits, of a kind of its own."""
    (id_,) = await put(session, type=new_type())
    return id_


async def shown(superuser: AsyncClient, id: int) -> Any:
    answer = await superuser.get(f"{JOBS}/{id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestGetJobs:
    async def test_shows_what_an_operator_wants_to_know(
        self, superuser: AsyncClient, session: AsyncSession
    ) -> None:
        type_ = new_type()
        (id_,) = await put(session, type=type_)
        page = (await superuser.get(JOBS, params={"type": type_})).json()
        assert page["total"] == 1
        (row,) = page["items"]
        assert row == {
            "id": id_,
            "type": type_,
            "status": "queued",
            "priority": 3,
            "attempts": 0,
            "payload": {"n": 0},
            "error": None,
            "created_at": row["created_at"],
            "run_at": row["created_at"],
        }

    async def test_pages_both_ways_newest_first(
        self, superuser: AsyncClient, session: AsyncSession
    ) -> None:
        type_ = new_type()
        ids = await put(session, times=5, type=type_)
        query: dict[str, Any] = {"type": type_, "size": 2}
        numbered, following = [], []
        for page in (1, 2, 3):
            answer = (await superuser.get(JOBS, params={**query, "page": page})).json()
            numbered += [item["id"] for item in answer["items"]]
        cursor: dict[str, Any] = {}
        while cursor.get("cursor", "first"):
            answer = (await superuser.get(JOBS, params={**query, **cursor})).json()
            following += [item["id"] for item in answer["items"]]
            cursor = {"cursor": answer["next_cursor"]}
        assert numbered == following == ids[::-1]

    async def test_filters_by_status(
        self,
        superuser: AsyncClient,
        session: AsyncSession,
        owner_connection: Connection,
    ) -> None:
        type_ = new_type()
        ids = await put(session, times=4, type=type_)
        for id_, status in zip(ids, ("picked", "failed", "successful"), strict=False):
            await become(owner_connection, id_, status)
        found = {}
        for shown_as in ("queued", "running", "held", None):
            query = {"type": type_} | ({"status": shown_as} if shown_as else {})
            page = (await superuser.get(JOBS, params=query)).json()
            found[shown_as] = [item["id"] for item in page["items"]]
        running, held, _, queued = ids
        assert found == {
            "queued": [queued],
            "running": [running],
            "held": [held],
            None: [queued, held, running],
        }

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("status", "failed"),
            ("status", ""),
            ("type", ""),
            ("type", "\0"),
            ("type", "x" * 101),
            ("sort", "run_at"),
            ("cursor", "x"),
            ("size", "0"),
            ("payload", "x"),
        ],
    )
    async def test_what_it_does_not_know_is_refused(
        self, superuser: AsyncClient, name: str, value: str
    ) -> None:
        answer = await superuser.get(JOBS, params={name: value})
        assert complaints(answer, status=422) == []
        assert pointers(answer) == [f"/query/{name}"]


class TestGetJob:
    async def test_shows_all_that_has_happened(
        self, superuser: AsyncClient, job: int, owner_connection: Connection
    ) -> None:
        for status, trace in (
            ("picked", None),
            ("failed", '{"exception_message": "why", "traceback": "where"}'),
        ):
            await owner_connection.execute(
                "INSERT INTO jobs.log (job_id, status, priority, entrypoint, traceback)"
                " VALUES ($1, $2, 3, 'test.chore', $3)",
                job,
                status,
                trace,
            )
        await become(owner_connection, job, "failed")
        history = await shown(superuser, job)
        assert (history["job"]["status"], history["job"]["error"]) == ("held", "why")
        assert history["job"]["attempts"] == 4
        events = [(e["status"], e["error"], e["traceback"]) for e in history["events"]]
        assert events == [
            ("queued", None, None),
            ("begun", None, None),
            ("held", "why", "where"),
        ]

    async def test_what_is_done_is_history_only(
        self, superuser: AsyncClient, job: int, owner_connection: Connection
    ) -> None:
        await become(owner_connection, job, "successful")
        assert (await shown(superuser, job))["job"] is None


class TestRetryJob:
    @pytest.mark.parametrize("status", ["queued", "failed"])
    async def test_lets_it_begin_now_as_if_it_had_never_failed(
        self,
        superuser: AsyncClient,
        job: int,
        status: str,
        owner_connection: Connection,
    ) -> None:
        await become(owner_connection, job, status)
        await owner_connection.execute(
            "UPDATE jobs.queue SET execute_after = now() + interval '1 hour',"
            """ headers = '{"alone": 3, "request_id": "x"}' WHERE id = $1""",
            job,
        )
        followed(await superuser.post(f"{JOBS}/{job}/retry"))
        row = (await shown(superuser, job))["job"]
        assert (row["status"], row["attempts"]) == ("queued", 0)
        is_due = "SELECT execute_after <= now() AND headers::text NOT LIKE '%alone%'"
        is_due += " FROM jobs.queue WHERE id = $1"
        assert await owner_connection.fetchval(is_due, job)
        events = (await shown(superuser, job))["events"]
        assert [event["status"] for event in events] == ["queued", "queued"]

    async def test_one_that_is_being_done_is_left_alone(
        self, superuser: AsyncClient, job: int, owner_connection: Connection
    ) -> None:
        await become(owner_connection, job, "picked")
        answer = await superuser.post(f"{JOBS}/{job}/retry")
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "job_running"
        assert (await shown(superuser, job))["job"]["status"] == "running"

    async def test_one_whose_successor_waits_is_a_conflict(
        self,
        superuser: AsyncClient,
        session: AsyncSession,
        owner_connection: Connection,
    ) -> None:
        key = new_type()
        held = await Queue(session).put(Chore(), key=key)
        assert held is not None
        await session.commit()
        await become(owner_connection, held, "failed")
        assert await Queue(session).put(Chore(), key=key) is not None
        await session.commit()
        answer = await superuser.post(f"{JOBS}/{held}/retry")
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "conflict"


class TestDiscardJob:
    @pytest.mark.parametrize("status", ["queued", "failed"])
    async def test_takes_it_away_and_keeps_its_history(
        self,
        superuser: AsyncClient,
        job: int,
        status: str,
        owner_connection: Connection,
    ) -> None:
        await become(owner_connection, job, status)
        followed(await superuser.post(f"{JOBS}/{job}/discard"))
        history = await shown(superuser, job)
        assert history["job"] is None
        assert [e["status"] for e in history["events"]] == ["queued", "discarded"]
        again = await superuser.post(f"{JOBS}/{job}/discard")
        assert complaints(again, status=404) == []

    async def test_one_that_is_being_done_is_left_alone(
        self, superuser: AsyncClient, job: int, owner_connection: Connection
    ) -> None:
        await become(owner_connection, job, "picked")
        answer = await superuser.post(f"{JOBS}/{job}/discard")
        assert complaints(answer, status=409) == []
        assert answer.json()["code"] == "job_running"
        assert (await shown(superuser, job))["job"]["status"] == "running"


OPERATIONS = [("GET", ""), ("POST", "/retry"), ("POST", "/discard")]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
class TestWhoAndWhat:
    @pytest.mark.parametrize(
        "id_",
        ["0", str(2**53), str(2**63 - 1), str(2**63), "9" * 5000],
        ids=["zero", "large", "largest", "too large", "far too large"],
    )
    async def test_what_is_missing_is_not_found(
        self, superuser: AsyncClient, method: str, path: str, id_: str
    ) -> None:
        answer = await superuser.request(method, f"{JOBS}/{id_}{path}")
        assert complaints(answer, status=404) == []

    @pytest.mark.parametrize("id_", ["-1", "1.0", "one", "0x1", "%D9%A1"])
    async def test_what_is_no_number_is_no_path(
        self, superuser: AsyncClient, method: str, path: str, id_: str
    ) -> None:
        answer = await superuser.request(method, f"{JOBS}/{id_}{path}")
        assert complaints(answer, status=404) == []

    async def test_is_for_superusers(
        self, app: FastAPI, client: AsyncClient, job: int, method: str, path: str
    ) -> None:
        ada = await account(app)
        for known in (f"/{job}{path}", f"/{2**40}{path}", ""):
            verb = method if known else "GET"
            answer = await ada.client.request(verb, f"{JOBS}{known}")
            assert complaints(answer, status=403) == []
            answer = await client.request(verb, f"{JOBS}{known}")
            assert complaints(answer, status=401) == []
