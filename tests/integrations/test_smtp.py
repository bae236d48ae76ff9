"""Mails by SMTP, to real servers that are well or badly behaved."""

import asyncio
import email
import email.policy
import subprocess
import sys
from pathlib import Path

import pytest
from aiosmtpd.smtp import LoginPassword
from pydantic import SecretStr

from app.integrations.mail import mailer_of
from app.integrations.mail.mailer import MailRejected, MailUnavailable
from app.integrations.mail.smtp import SmtpMailer, SmtpServer, Tls, server_of
from app.mail.composer import Composer
from app.mail.messages import Welcome
from app.mail.rendering import load
from app.mail.samples import SAMPLES, TOKEN
from tests.conftest import settings_for
from tests.mail_servers import HOST, Certificate, Mailbox, mail_server, rude_server
from tests.valkey import PATIENCE_SECONDS, free_port

COMPOSER = Composer(
    project_name="Zenith",
    public_url="https://api.example.com",
    sender="Zenith <no-reply@example.com>",
)
MESSAGE = COMPOSER.compose(SAMPLES[0], token=TOKEN, reference="one")
LOGIN = ("the-user", "hidden-value")


@pytest.fixture(autouse=True, scope="module")
def templates() -> None:
    """Read the templates, as whoever starts to write mails does in a thread."""
    load()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return Certificate.make(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """Trust the certificate in the way that the manual tells."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
    return certificate


def mailer(
    port: int,
    tls: Tls = Tls.NONE,
    *,
    login: tuple[str, str] | tuple[None, None] = (None, None),
    seconds: float = PATIENCE_SECONDS,
) -> SmtpMailer:
    server = SmtpServer(HOST, port, tls, *login)
    return SmtpMailer(server, connect_seconds=seconds, command_seconds=seconds)


class TestSend:
    async def test_hands_over_what_was_composed(self) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox) as port:
            await mailer(port).send(MESSAGE)
        (envelope,) = mailbox.envelopes
        assert envelope.mail_from == "no-reply@example.com"
        assert envelope.rcpt_tos == ["ada@example.com"]
        assert isinstance(envelope.content, bytes)
        read = email.message_from_bytes(envelope.content, policy=email.policy.SMTP)
        headers = set(read.keys()) - {"Content-Type"}  # whose boundary is made anew
        assert {name: read[name] for name in headers} == {
            name: MESSAGE[name] for name in headers
        }
        for there, here in zip(read.iter_parts(), MESSAGE.iter_parts(), strict=True):
            assert there.get_content().splitlines() == here.get_content().splitlines()

    async def test_takes_addresses_beyond_ascii(self) -> None:
        mail = Welcome.model_validate({**SAMPLES[0].model_dump(), "to": "zoë@x.test"})
        message = COMPOSER.compose(mail, token=TOKEN, reference="one")
        mailbox = Mailbox()
        async with mail_server(mailbox) as port:
            await mailer(port).send(message)
        assert mailbox.envelopes[0].rcpt_tos == ["zoë@x.test"]
        async with mail_server(mailbox, smtputf8=False) as port:
            with pytest.raises(MailRejected):
                await mailer(port).send(message)

    async def test_is_configured_by_one_url(self) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox) as port:
            url = f"smtp://the%40user:hidden%2Fvalue@{HOST}:{port}"
            settings = settings_for(SMTP_URL=SecretStr(url), MAIL_FROM="a@x.test")
            await mailer_of(settings).send(MESSAGE)
        assert mailbox.logins == [LoginPassword(b"the@user", b"hidden/value")]
        assert len(mailbox.envelopes) == 1


class TestEncryption:
    async def test_begins_with_it(self, trusted: Certificate) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox, implicit_tls=trusted.context) as port:
            await mailer(port, Tls.IMPLICIT).send(MESSAGE)
        assert len(mailbox.envelopes) == 1

    @pytest.mark.parametrize("tls", [Tls.REQUIRED, Tls.OFFERED])
    async def test_follows_starttls(self, trusted: Certificate, tls: Tls) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox, starttls=trusted.context) as port:
            await mailer(port, tls, login=LOGIN).send(MESSAGE)
        assert mailbox.sessions[0].ssl is not None
        assert mailbox.logins == [LoginPassword(b"the-user", b"hidden-value")]

    async def test_may_be_missing_where_it_is_only_offered(self) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox) as port:
            await mailer(port, Tls.OFFERED).send(MESSAGE)
        assert mailbox.sessions[0].ssl is None

    async def test_says_nothing_without_it_where_it_is_required(self) -> None:
        mailbox = Mailbox()
        async with mail_server(mailbox) as port:
            with pytest.raises(MailUnavailable):
                await mailer(port, Tls.REQUIRED, login=LOGIN).send(MESSAGE)
        assert not mailbox.logins
        assert not mailbox.envelopes

    @pytest.mark.parametrize("tls", [Tls.IMPLICIT, Tls.REQUIRED, Tls.OFFERED])
    async def test_is_with_nobody_who_cannot_prove_his_name(
        self, certificate: Certificate, tls: Tls
    ) -> None:
        is_implicit = tls is Tls.IMPLICIT
        mailbox = Mailbox()
        async with mail_server(
            mailbox,
            implicit_tls=certificate.context if is_implicit else None,
            starttls=None if is_implicit else certificate.context,
        ) as port:
            with pytest.raises(MailUnavailable):
                await mailer(port, tls).send(MESSAGE)
        assert not mailbox.envelopes


class TestFailures:
    @pytest.mark.parametrize(
        ("mailbox", "failure", "code"),
        [
            (Mailbox(to_recipients="550 no hidden-value here"), MailRejected, "550"),
            (Mailbox(to_data="554 hidden-value is spam"), MailRejected, "554"),
            (Mailbox(to_recipients="450 hidden-value is busy"), MailUnavailable, "450"),
            (Mailbox(to_data="451 hidden-value is full"), MailUnavailable, "451"),
            (Mailbox(to_senders="553 hidden-value, who?"), MailUnavailable, "553"),
            (Mailbox(to_senders="421 hidden-value leaves"), MailUnavailable, "421"),
        ],
    )
    async def test_tell_this_mail_from_all_and_never_what_was_said(
        self, mailbox: Mailbox, failure: type[Exception], code: str
    ) -> None:
        async with mail_server(mailbox) as port:
            with pytest.raises(failure) as caught:
                await mailer(port).send(MESSAGE)
        assert code in str(caught.value)
        assert caught.value.__cause__ is None
        for told in ("hidden-value", "ada", HOST):
            assert told not in str(caught.value)

    async def test_a_wrong_password_is_no_fault_of_the_mail(self) -> None:
        mailbox = Mailbox(logins_are_right=False)
        async with mail_server(mailbox) as port:
            with pytest.raises(MailUnavailable, match="535") as caught:
                await mailer(port, login=LOGIN).send(MESSAGE)
        assert "hidden-value" not in str(caught.value)

    async def test_nobody_listens(self) -> None:
        with pytest.raises(MailUnavailable):
            await mailer(free_port()).send(MESSAGE)

    async def test_somebody_never_answers(self) -> None:
        async def be_silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
            await asyncio.sleep(0)

        async with rude_server(be_silent) as port:
            with pytest.raises(MailUnavailable):
                await mailer(port, seconds=0.05).send(MESSAGE)

    @pytest.mark.parametrize("lines", [0, 1, 2, 3, 4])
    async def test_somebody_hangs_up(self, lines: int) -> None:
        async def hang_up(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            for _ in range(lines):
                writer.write(b"250 OK\r\n" if _ else b"220 hello\r\n")
                await reader.readline()
            writer.close()

        async with rude_server(hang_up) as port:
            with pytest.raises(MailUnavailable):
                await mailer(port).send(MESSAGE)

    async def test_somebody_speaks_another_language(self) -> None:
        async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()

        async with rude_server(babble) as port:
            with pytest.raises(MailUnavailable):
                await mailer(port, seconds=0.05).send(MESSAGE)


class TestServerOf:
    @pytest.mark.parametrize(
        ("url", "port", "tls"),
        [
            ("smtps://mail.example.com", 465, Tls.IMPLICIT),
            ("smtps://localhost", 465, Tls.IMPLICIT),
            ("smtp+starttls://mail.example.com", 587, Tls.REQUIRED),
            ("smtp+starttls://127.0.0.1:2525", 2525, Tls.REQUIRED),
            ("smtp://mail.example.com", 25, Tls.OFFERED),
            ("smtp://user:word@mail.example.com:587", 587, Tls.REQUIRED),
            ("smtp://localhost", 25, Tls.NONE),
            ("smtp://user:word@[::1]:1025", 1025, Tls.NONE),
        ],
    )
    def test_chooses_port_and_encryption(self, url: str, port: int, tls: Tls) -> None:
        server = server_of(url, in_production=False)
        assert (server.port, server.tls) == (port, tls)

    def test_insists_in_production(self) -> None:
        assert server_of("smtp://a.example", in_production=True).tls is Tls.REQUIRED
        assert server_of("smtp://localhost", in_production=True).tls is Tls.NONE

    def test_never_shows_the_password(self) -> None:
        server = server_of("smtp://user:hidden-value@localhost", in_production=False)
        assert "hidden-value" not in repr(server)


def test_what_is_slow_to_import_waits_for_its_use(tmp_path: Path) -> None:
    code = (
        "import sys, app.integrations.mail, app.mail.composer; "
        "sys.exit(bool({'aiosmtplib', 'jinja2', 'mrml'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=tmp_path)
    assert done.returncode == 0
