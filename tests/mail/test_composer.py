"""Mails as they are sent, parsed by the standard library."""

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
from blockbuster import BlockBuster
from jinja2 import UndefinedError

from app.mail import rendering
from app.mail.composer import Composer
from app.mail.messages import (
    AnyMail,
    LinkMail,
    Mail,
    NewDevice,
    PageMail,
    PasswordChanged,
    Welcome,
)
from app.mail.samples import SAMPLES, TOKEN

HEADERS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
]
HOSTILE = [
    "Ada\r\nBcc: eve@example.com",
    "Ada\r\n\r\n<script>alert(1)</script>",
    "</mj-text><mj-raw><script>alert(1)</script></mj-raw>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}{% raw %}",
    "{project}{0.__class__}",
    "<!-- <mj-include path='x' /> & &lt;",
    '"Eve" <eve@example.com>, ada',
    "eve@example.com, " * 6,
    "\\" * 50 + '"' * 49,
    "雷" * 40 + ", <eve@example.com>" + "雷" * 40,
    "=?utf-8?q?=0D=0ABcc:_eve=40example.com?=",
    "Ada\u2028Bcc: eve@example.com\u202e\0\x0b\x0c\x85",
    "x" * 100,
    "]]>",
]


def composer(**given: Any) -> Composer:
    chosen = {
        "project_name": "Zenith API",
        "public_url": "https://api.example.com/base",
        "sender": "Zenith <no-reply@mail.example.com>",
        **given,
    }
    return Composer(**chosen)


def welcome(**given: Any) -> Welcome:
    return SAMPLES[0].model_copy(update=given)  # type: ignore[return-value]  # the first


def sent(mail: Mail, *, by: Composer | None = None, token: str = TOKEN) -> EmailMessage:
    """Compose, write as bytes, and read as a mail program would."""
    message = (by or composer()).compose(mail, token=token, reference="0198-a.1")
    source = message.as_bytes().decode()
    return email.message_from_string(source, policy=email.policy.SMTPUTF8)


def part(message: EmailMessage, subtype: str) -> str:
    found = message.get_body((subtype,))
    assert found is not None
    content: str = found.get_content()
    return content.replace("\r\n", "\n")


def in_one_line(text: str) -> str:
    return " ".join(text.split())


class TestEveryKind:
    def test_has_a_sample(self) -> None:
        assert sorted(rendering.KINDS) == sorted(sample.kind for sample in SAMPLES)

    @pytest.mark.may_block  # but while BlockBuster looks at what composing does
    async def test_is_read_before_any_is_composed(self) -> None:
        rendering.load()
        blockbuster = BlockBuster("app.mail")
        blockbuster.activate()
        try:
            for mail in SAMPLES:
                composer().compose(mail, token=TOKEN, reference="a")
        finally:
            blockbuster.deactivate()

    @pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.kind)
    def test_is_text_first_and_then_html(self, mail: AnyMail) -> None:
        message = sent(mail)
        assert message.keys() == HEADERS
        assert message.get_content_type() == "multipart/alternative"
        types = [part.get_content_type() for part in message.iter_parts()]
        assert types == ["text/plain", "text/html"]
        assert not message.defects

    @pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.kind)
    def test_says_the_same_in_both_parts(self, mail: AnyMail) -> None:
        message = sent(mail)
        html = re.sub(
            r"<(style|head)>.*?</\1>", "", part(message, "html"), flags=re.DOTALL
        )
        html = in_one_line(re.sub(r"<[^>]+>", " ", html))
        for paragraph in part(message, "plain").split("\n\n"):
            said = in_one_line(paragraph).removeprefix("--- ")
            if "https://" not in said:
                assert said in html
        assert "Ada Lovelace" in html
        assert "Zenith API" in html

    @pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.kind)
    def test_loads_nothing_from_anywhere(self, mail: AnyMail) -> None:
        html = part(sent(mail), "html")
        addresses = set(re.findall(r"https?://[^\s\"'<>]+", html))
        own = {a for a in addresses if a.startswith("https://api.example.com/base/")}
        assert len(own) == isinstance(mail, PageMail)
        assert addresses - own == {"http://www.w3.org/1999/xhtml"}
        assert not re.search(r"<(img|link|script)|@import|url\(", html)

    @pytest.mark.parametrize("mail", SAMPLES, ids=lambda mail: mail.kind)
    def test_has_lines_that_every_server_takes(self, mail: AnyMail) -> None:
        message = composer().compose(mail, token=TOKEN, reference="a")
        assert max(map(len, message.as_bytes().split(b"\r\n"))) <= 998
        assert message.as_bytes().isascii()


class TestHeaders:
    def test_name_both_sides_and_the_matter(self) -> None:
        message = sent(welcome())
        assert message["From"] == "Zenith <no-reply@mail.example.com>"
        assert message["To"] == "Ada Lovelace <ada@example.com>"
        subject = "Welcome to Zenith API: verify your e-mail address"
        assert message["Subject"] == subject
        age = datetime.now(UTC) - parsedate_to_datetime(message["Date"])
        assert timedelta(0) <= age < timedelta(minutes=5)

    def test_a_mail_that_is_sent_twice_is_known_as_one(self) -> None:
        ids = {sent(welcome())["Message-ID"] for _ in range(2)}
        assert ids == {"<0198-a.1@mail.example.com>"}

    @pytest.mark.parametrize("reference", ["", "a b", "a>\r\nX: y", "a@b", "../a", "ä"])
    def test_a_reference_is_safe_in_headers_and_names(self, reference: str) -> None:
        with pytest.raises(ValueError, match="a reference is made of"):
            composer().compose(welcome(), token=TOKEN, reference=reference)

    def test_nobody_answers_them_automatically(self) -> None:
        message = sent(welcome())
        assert message["Auto-Submitted"] == "auto-generated"
        assert message["X-Auto-Response-Suppress"] == "All"

    @pytest.mark.parametrize(
        ("sender", "shown"),
        [
            ("a@example.com", "Zenith API <a@example.com>"),
            ("<a@example.com>", "Zenith API <a@example.com>"),
            ('"Zenith, Inc." <a@example.com>', '"Zenith Inc." <a@example.com>'),
            ("Zenith Mail<a@localhost>", "Zenith Mail <a@localhost>"),
        ],
    )
    def test_a_sender_without_a_name_has_the_project_s(
        self, sender: str, shown: str
    ) -> None:
        assert sent(welcome(), by=composer(sender=sender))["From"] == shown

    def test_only_a_local_part_needs_a_server_of_utf8(self) -> None:
        mail = welcome(to="ada@bücher.example")
        message = composer().compose(mail, token=TOKEN, reference="a")
        assert b"<ada@xn--bcher-kva.example>" in message.as_bytes()
        mail = welcome(to="zoë@example.com")
        assert sent(mail)["To"].addresses[0].addr_spec == "zoë@example.com"


class TestLinks:
    def test_lead_to_the_public_url_with_the_token(self) -> None:
        for mail in SAMPLES:
            if isinstance(mail, LinkMail):
                message = sent(mail)
                link = f"https://api.example.com/base{mail.page}?token={TOKEN}"
                assert f"\n{link}\n" in part(message, "plain")
                assert part(message, "html").count(f'href="{link}"') == 2

    def test_say_how_long_they_work(self) -> None:
        hours = {mail.kind: part(sent(mail), "plain") for mail in SAMPLES}
        assert "The link works for 48 hours." in hours["welcome"]
        assert "The link works for 1 hour." in hours["reset_password"]

    def test_escape_a_token(self) -> None:
        message = sent(welcome(), token='a&b="c"/<d>+%')
        escaped = "token=a%26b%3D%22c%22%2F%3Cd%3E%2B%25"
        assert escaped in part(message, "plain")
        assert escaped in part(message, "html")

    def test_need_a_token(self) -> None:
        with pytest.raises(ValueError, match="needs a token"):
            composer().compose(welcome(), token=None, reference="a")

    def test_can_be_copied_from_the_source(self) -> None:
        message = composer().compose(welcome(), token=TOKEN, reference="a")
        assert f"?token={TOKEN}\r\n".encode() in message.as_bytes()


class TestHostileValues:
    """Whatever people call themselves, a mail is one mail to one of them."""

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_inject_no_header_and_no_address(self, text: str) -> None:
        mail = Welcome.model_validate({**welcome().model_dump(), "full_name": text})
        for utf8 in ("ada@example.com", "zoë@example.com"):
            by = composer(project_name=text)
            message = sent(mail.model_copy(update={"to": utf8}), by=by)
            assert message.keys() == HEADERS
            (to,) = message["To"].addresses
            assert to.addr_spec == utf8
            (sender,) = message["From"].addresses
            assert sender.addr_spec == "no-reply@mail.example.com"
            types = [part.get_content_type() for part in message.iter_parts()]
            assert types == ["text/plain", "text/html"]

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_inject_no_address_by_the_project(self, text: str) -> None:
        by = composer(project_name=text, sender="no-reply@example.com")
        (sender,) = sent(welcome(), by=by)["From"].addresses
        assert sender.addr_spec == "no-reply@example.com"

    @pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
    def test_inject_no_element(self, text: str) -> None:
        given = {**SAMPLES[7].model_dump(), "device": text, "full_name": text}
        hostile = sent(NewDevice.model_validate(given), by=composer(project_name=text))
        tags = re.findall(r"<[a-z0-9]+", part(hostile, "html"))
        assert tags == re.findall(r"<[a-z0-9]+", part(sent(SAMPLES[7]), "html"))

    def test_are_shown_as_they_are(self) -> None:
        given = {**SAMPLES[7].model_dump(), "device": "<b>{{ x }}</b>"}
        message = sent(NewDevice.model_validate(given))
        assert "<b>{{ x }}</b>" in part(message, "plain")
        assert "&lt;b&gt;{{ x }}&lt;/b&gt;" in part(message, "html")

    @pytest.mark.parametrize(
        "name", ["Win at https://evil.example", "www.evil.example", "eve@evil.example"]
    )
    def test_a_name_that_would_be_a_link_is_left_out(self, name: str) -> None:
        message = sent(welcome(full_name=name))
        assert part(message, "plain").startswith("Hello,\n")
        assert "evil" not in str(message)

    @pytest.mark.parametrize("name", ["J. R. R. Tolkien", "J.R.R. Tolkien", "Zoë O'B"])
    def test_a_name_with_dots_is_a_name(self, name: str) -> None:
        message = sent(welcome(full_name=name))
        assert part(message, "plain").startswith(f"Hello {name},\n")
        assert message["To"].addresses[0].display_name == name


class TestWords:
    def test_tell_a_reset_from_a_change(self) -> None:
        given = SAMPLES[6].model_dump()
        reset = PasswordChanged.model_validate({**given, "was_reset": True})
        changed = PasswordChanged.model_validate({**given, "was_reset": False})
        assert "change the password of your mailbox first" in in_one_line(
            part(sent(reset), "plain")
        )
        assert "knew the old one" in in_one_line(part(sent(changed), "plain"))

    def test_tell_times_in_utc(self) -> None:
        assert "on 26 July 2026 at 08:41 UTC" in in_one_line(
            part(sent(SAMPLES[6]), "plain")
        )

    def test_do_without_an_address_that_is_not_known(self) -> None:
        mail = SAMPLES[7].model_copy(update={"ip": None})
        assert "Firefox on Linux, on 26" in in_one_line(part(sent(mail), "plain"))

    def test_a_template_that_asks_for_what_is_not_there_fails(self) -> None:
        template = rendering._environment("layout.txt.j2").from_string("{{ nothing }}")
        with pytest.raises(UndefinedError):
            template.render()
