"""Invitations: strangers choose the names in them, and to whom they go."""

import re
from typing import Any

import pytest

from app.mail.messages import InvitationMail
from app.mail.samples import SAMPLES
from tests.mail.test_composer import HEADERS, HOSTILE, in_one_line, part, sent

(SAMPLE,) = (mail for mail in SAMPLES if isinstance(mail, InvitationMail))
# What mail programs make a link of, by themselves.
LINKED = re.compile(r"\w\.\w{2}|\w@\w|https?:/|www\.\w")


def invitation(**given: Any) -> InvitationMail:
    return InvitationMail.model_validate({**SAMPLE.model_dump(), **given})


def test_says_who_invites_whereto_as_what_and_for_how_long() -> None:
    message = sent(SAMPLE)
    assert message["Subject"] == "Invitation to join Analytical Engines Ltd"
    assert message["To"] == "countess@lovelace.example"
    text = in_one_line(part(message, "plain"))
    assert text.startswith(
        "Hello, Ada Lovelace invites you to join the organization"
        ' "Analytical Engines Ltd" at Zenith API. Your role there would be: admin.'
    )
    assert "The link works for 7 days, and once." in text
    assert "Hello, You are invited to join the organization" in in_one_line(
        part(sent(invitation(inviter=None)), "plain")
    )


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_names_are_it_is_one_mail_to_one_address(text: str) -> None:
    hostile = sent(invitation(organization=text, inviter=text))
    assert hostile.keys() == HEADERS
    (to,) = hostile["To"].addresses
    assert to.addr_spec == SAMPLE.to
    assert hostile["Subject"].strip().startswith("Invitation to join ")
    tags = re.findall(r"<[a-z0-9]+", part(hostile, "html"))
    assert tags == re.findall(r"<[a-z0-9]+", part(sent(SAMPLE), "html"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Win at https://evil.example/x", "Win at https: //evil. example/x"),
        ("www.evil.example", "www. evil. example"),
        ("mailto:eve@evil.example", "mailto: eve@ evil. example"),
        (
            "evil\uff0eexample evil\u3002example",
            "evil\uff0e example evil\u3002 example",
        ),
        ("Dr. J. Smith, A/S: 24/7", "Dr. J. Smith, A/S: 24/7"),
    ],
)
def test_no_name_is_a_link(name: str, shown: str) -> None:
    message = sent(invitation(organization=name, inviter=name))
    assert message["Subject"] == f"Invitation to join {shown}"
    plain = re.sub(r"https://api\.example\.com/\S+", "", part(message, "plain"))
    assert not LINKED.search(plain)
    assert in_one_line(plain).count(shown) == 2


def test_a_payload_that_was_stored_is_read_as_it_was() -> None:
    mail = invitation(organization="www.evil.example", inviter="a@b.example")
    assert InvitationMail.model_validate_json(mail.model_dump_json()) == mail
