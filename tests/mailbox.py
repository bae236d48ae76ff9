"""Mails as those see them who get them: by an application, its worker and a server."""

import asyncio
import contextlib
import email
import email.policy
import html
import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import get_args
from urllib.parse import parse_qs, urlsplit

import asyncpg
from aiosmtpd.smtp import Envelope
from fastapi import FastAPI
from httpx2 import AsyncClient
from pydantic import SecretStr

from app.config import Settings
from app.db.connections import Connection
from app.mail.messages import AnyMail, LinkMail, Mail, PageMail
from app.worker.worker import Pace, Worker
from tests.conftest import client_of, running, settings_for
from tests.databases import Databases
from tests.mail_servers import HOST, Mailbox, mail_server

PUBLIC_URL = "https://zenith.example/app"
SENDER = "Zenith <no-reply@zenith.example>"
PATIENCE_SECONDS = 90  # an end for a test that would hang; nothing is asserted of it
# Quick enough for a test; patient, for no test kills this worker.
PACE = Pace(
    silence=timedelta(seconds=30),
    poll=timedelta(seconds=0.2),
    drain=timedelta(seconds=2),
    pause=timedelta(seconds=0.2),
)
KINDS: tuple[type[Mail], ...] = get_args(get_args(AnyMail)[0])
_URL = re.compile(r"https?://[^\s<>\"]+")


def kind_of(subject: str, *, project: str) -> type[Mail]:
    """Tell by its subject, which may name more than the project."""
    for kind in KINDS:
        parts = re.split(r"\{mail\.\w+\}", kind.subject.replace("{project}", project))
        if re.fullmatch(".+".join(map(re.escape, parts)), subject):
            return kind
    raise AssertionError(subject)


@dataclass(frozen=True)
class Received:
    """A mail that a server has taken."""

    kind: type[Mail]
    to: str
    message_id: str
    text: str
    html: str

    @classmethod
    def of(cls, raw: bytes, *, to: str, project: str = "Zenith API") -> "Received":
        """Read a mail; whatever its kind, it has both parts and all headers."""
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        assert message["From"] == SENDER
        assert [address.addr_spec for address in message["To"].addresses] == [to]
        assert message["Date"].datetime.tzinfo is not None
        assert re.fullmatch(r"<[0-9a-f-]{36}@zenith\.example>", message["Message-ID"])
        assert message.get_content_type() == "multipart/alternative"
        text, page = (part.get_content() for part in message.iter_parts())
        kind = kind_of(message["Subject"], project=project)
        mail = cls(kind, to, message["Message-ID"], text, page)
        assert bool(mail.links) == issubclass(kind, PageMail)
        return mail

    @property
    def links(self) -> list[str]:
        return _URL.findall(self.text)

    @property
    def link(self) -> str:
        """The only one, the same in both parts."""
        (link,) = self.links
        assert issubclass(self.kind, LinkMail)
        assert link.startswith(f"{PUBLIC_URL}{self.kind.page}?token=")
        targets = set(re.findall(r'href="([^"]+)"', self.html))
        assert {html.unescape(target) for target in targets} == {link}
        return link

    @property
    def token(self) -> str:
        (token,) = parse_qs(urlsplit(self.link).query)["token"]
        return token


@dataclass(frozen=True)
class Post:
    """An application whose mails arrive."""

    app: FastAPI
    client: AsyncClient
    """Somebody who is not signed in."""
    owner: Connection
    server: Mailbox
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def settings(self) -> Settings:
        settings: Settings = self.app.state.settings
        return settings

    async def all(self) -> list[Received]:
        """Return what has come once nothing is left to do, in this order."""
        await self.settled()
        return [received(envelope) for envelope in self.server.envelopes]

    async def to(self, address: str) -> list[Received]:
        """Return what an address has got once nothing is left to do, in this order."""
        await self.settled()
        own = [e for e in self.server.envelopes if address in e.rcpt_tos]
        return [received(envelope) for envelope in own]

    async def kinds_to(self, address: str) -> list[type[Mail]]:
        return [mail.kind for mail in await self.to(address)]

    async def token(self, address: str) -> str:
        """Return the token of the newest link that an address has got."""
        return [m.token for m in await self.to(address) if m.links][-1]

    async def settled(self) -> None:
        """Wait until nothing is left to do; what is held waits for somebody else."""
        await self.until(f"SELECT NOT EXISTS (SELECT FROM jobs.queue WHERE {_LEFT})")

    async def until(self, condition: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while not await self._holds(condition):
            assert time.monotonic() < end, condition
            await asyncio.sleep(0.01)

    async def _holds(self, condition: str) -> bool:
        async with self.turn:  # several may wait at once, by one connection
            return bool(await self.owner.fetchval(condition))


_LEFT = "status IN ('queued', 'picked')"


def received(envelope: Envelope) -> Received:
    """Read what a server has taken."""
    (to,) = envelope.rcpt_tos
    assert isinstance(envelope.content, bytes)
    return Received.of(envelope.content, to=to)


@contextlib.asynccontextmanager
async def working(app: FastAPI) -> AsyncIterator[None]:
    """Do an application's jobs meanwhile, in this process."""
    stop = asyncio.Event()
    worker = Worker(app.state.resources, schedule=(), pace=PACE)
    task = asyncio.create_task(worker.run(stop))
    try:
        yield
    finally:
        stop.set()
        await task


@contextlib.asynccontextmanager
async def post(
    databases: Databases, home: Path, **changes: object
) -> AsyncIterator[Post]:
    """Run an application that works, and a mail server for it."""
    server = Mailbox()
    async with databases.fresh() as database, mail_server(server) as port:
        settings = settings_for(
            **{
                "DATABASE_URL": SecretStr(database.app_url),
                "ZENITH_HOME": home,
                "SMTP_URL": SecretStr(f"smtp://{HOST}:{port}"),
                "MAIL_FROM": SENDER,
                "PUBLIC_URL": PUBLIC_URL,
                "ALLOWED_HOSTS": ["another.example"],
                **changes,
            }
        )
        owner = await asyncpg.connect(database.owner_url)
        async with (
            running(settings) as app,
            working(app),
            client_of(app) as client,
        ):
            yield Post(app, client, owner, server)
        await owner.close()
