"""Mail servers that are away, change their minds, or refuse for good."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.mail.messages import LinkMail, VerifyEmail, Welcome
from app.mail.samples import SAMPLES
from app.queue import Queue, Retries
from app.queue.mails import SendMail
from tests.databases import Databases
from tests.factories.users import account
from tests.links import RESEND, accepted, followed, verify
from tests.mail_servers import HOST, TAKEN, Mailbox, mail_server
from tests.mailbox import Post, post, received
from tests.routers.test_auth import signed_up
from tests.valkey import free_port

JOBS = "/api/v1/admin/jobs"
BUSY, UNKNOWN = "451 busy", "550 no such box"
QUICK = Retries(
    limit=1000, first=timedelta(milliseconds=20), longest=timedelta(seconds=0.1)
)


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SendMail, "retries", QUICK)


@pytest.fixture
async def mails(databases: Databases, tmp_path: Path) -> AsyncIterator[Post]:
    async with post(databases, tmp_path) as one:
        yield one


async def failed(mails: Post, *, jobs: int = 1) -> None:
    """Wait until so many jobs have failed, and wait for another attempt."""
    await mails.until(
        f"SELECT count(DISTINCT job_id) >= {jobs} FROM jobs.log"
        " WHERE traceback IS NOT NULL"
    )


class TestOutage:
    async def test_every_mail_comes_once_when_the_server_is_back(
        self, databases: Databases, tmp_path: Path
    ) -> None:
        port, server = free_port(), Mailbox()
        url = SecretStr(f"smtp://{HOST}:{port}")
        async with post(databases, tmp_path, SMTP_URL=url) as mails:
            signing_up = (signed_up(mails.client) for _ in range(10))
            emails = {new["email"] for new in await asyncio.gather(*signing_up)}
            await failed(mails, jobs=10)
            async with mail_server(server, port=port):
                await mails.settled()
        came = [received(envelope) for envelope in server.envelopes]
        assert Counter(mail.to for mail in came) == dict.fromkeys(emails, 1)
        assert len({mail.message_id for mail in came}) == 10

    @pytest.mark.parametrize("stage", ["to_senders", "to_recipients", "to_data"])
    async def test_who_is_asked_to_come_again_does(
        self, mails: Post, stage: str
    ) -> None:
        setattr(mails.server, stage, BUSY)
        new = await signed_up(mails.client)
        await failed(mails)
        mails.server.envelopes.clear()
        setattr(mails.server, stage, TAKEN)
        assert await mails.kinds_to(new["email"]) == [Welcome]


class TestRefusal:
    async def test_is_held_shown_and_tried_again_when_somebody_says_so(
        self, mails: Post
    ) -> None:
        superuser = (await account(mails.app, is_superuser=True)).client
        mails.server.to_recipients = UNKNOWN
        email = (await signed_up(mails.client))["email"]
        assert await mails.to(email) == []
        job = await only_held(superuser)
        assert job["type"] == "mail.send"
        assert job["payload"]["mail"]["to"] == email
        assert job["error"] == "the mail server refused the mail (550)"
        history = (await superuser.get(f"{JOBS}/{job['id']}")).json()
        assert [event["status"] for event in history["events"]] == [
            "queued",
            "begun",
            "held",
        ]
        assert email not in str(history["events"])
        mails.server.to_recipients = TAKEN
        followed(await superuser.post(f"{JOBS}/{job['id']}/retry"))
        (mail,) = await mails.to(email)
        followed(await verify(mails, mail.token))
        assert (await superuser.get(JOBS)).json()["items"] == []

    async def test_one_that_is_refused_holds_up_no_other(self, mails: Post) -> None:
        mails.server.to_recipients = UNKNOWN
        refused = (await signed_up(mails.client))["email"]
        assert await mails.to(refused) == []
        mails.server.to_recipients = TAKEN
        other = (await signed_up(mails.client))["email"]
        assert await mails.kinds_to(other) == [Welcome]
        assert await mails.to(refused) == []


async def only_held(superuser: AsyncClient) -> dict[str, Any]:
    answer = await superuser.get(JOBS, params={"status": "held"})
    (job,) = answer.json()["items"]
    held: dict[str, Any] = job
    return held


class TestVoidLinks:
    @pytest.mark.parametrize(
        "how",
        [
            "UPDATE email_tokens SET expires_at = now()",
            "DELETE FROM email_tokens",
            "UPDATE users SET is_active = false",
        ],
        ids=["expired", "void", "disabled"],
    )
    async def test_a_mail_whose_link_is_no_longer_good_is_not_sent(
        self, mails: Post, how: str
    ) -> None:
        mails.server.to_recipients = BUSY
        email = (await signed_up(mails.client))["email"]
        await failed(mails)
        await mails.owner.execute(how)
        assert await mails.to(email) == []  # although the server is still busy
        superuser = await account(mails.app, is_superuser=True)
        assert (await superuser.client.get(JOBS)).json()["items"] == []

    async def test_of_two_that_wait_the_newer_one_is_sent(self, mails: Post) -> None:
        ada = await account(mails.app)
        mails.server.to_recipients = BUSY
        for _ in range(2):
            accepted(await ada.client.post(RESEND))
        await mails.until("SELECT count(*) = 1 FROM jobs.queue")
        mails.server.to_recipients = TAKEN
        (mail,) = await mails.to(ada.user.email)
        assert mail.kind is VerifyEmail
        followed(await verify(mails, mail.token))


class TestFolder:
    async def test_a_job_that_is_done_twice_leaves_one_mail(
        self, databases: Databases, tmp_path: Path
    ) -> None:
        async with post(databases, tmp_path, SMTP_URL=None) as mails:
            plain = [mail for mail in SAMPLES if not isinstance(mail, LinkMail)]
            first, other = SendMail(mail=plain[-1]), SendMail(mail=plain[-2])
            for job in (first, first, other):
                async with mails.app.state.resources.sessions.begin() as session:
                    await Queue(session).put(job)
                await mails.settled()
        written = [path.stem[-36:] for path in (tmp_path / "mail").iterdir()]
        assert sorted(written) == sorted([str(first.id), str(other.id)])
