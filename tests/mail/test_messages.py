"""Mails as data: payloads of jobs, which hold nothing that forges or tells."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from app.mail.messages import AnyMail, LinkMail, PasswordChanged, Welcome, one_line
from app.mail.samples import SAMPLES

PAYLOAD: TypeAdapter[AnyMail] = TypeAdapter(AnyMail)
TOKEN_ID = "0198446f-52a5-7c1e-9d5c-3f1f6a2b7c10"


def welcome(**given: Any) -> Welcome:
    values = {"to": "ada@example.com", "full_name": "Ada", "token_id": TOKEN_ID}
    return Welcome.model_validate({**values, **given})


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
def test_a_payload_comes_back_as_the_mail_it_was(sample: AnyMail) -> None:
    assert PAYLOAD.validate_json(PAYLOAD.dump_json(sample)) == sample


class TestAddress:
    @pytest.mark.parametrize(
        "address",
        [
            "ada@example.com",
            "a+b@x.test",
            "zoë@bücher.example",
            "d.j@xn--bcher-kva.example",
        ],
    )
    def test_may_be_any_that_a_user_may_have(self, address: str) -> None:
        assert "@" in welcome(to=address).to

    @pytest.mark.parametrize(
        "address",
        [
            "hidden-value",
            "hidden-value@example.com\r\nBcc: eve@example.com",
            "hidden-value@example.com\n",
            "hidden-value@example.com, eve@example.com",
            "Ada <hidden-value@example.com>",
            '"hidden-value\r\n"@example.com',
            "hidden-value@[127.0.0.1]",
            "hidden-value\0@example.com",
            "hidden\u202evalue@example.com",
            "hidden-value@exa\u2028mple.com",
            "=?utf-8?q?=0d=0abcc=3a_hidden=40value.example?=@example.com",
        ],
    )
    def test_is_one_address_and_is_never_shown(self, address: str) -> None:
        with pytest.raises(ValidationError) as caught:
            welcome(to=address)
        assert "hidden" not in str(caught.value)


class TestOneLine:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("Ada\r\nBcc: eve@example.com", "Ada Bcc: eve@example.com"),
            ("Ada\0\x07\x7f\x85Lovelace", "Ada Lovelace"),
            ("Ada\u2028\u2029Lovelace", "Ada Lovelace"),
            ("\u202eecalevoL\u2066 adA", "ecalevoL adA"),
            ("Ada\ud800", "Ada"),
            ("=?utf-8?q?=0D=0ABcc:_eve?=", "utf-8?q?=0D=0ABcc:_eve?="),
            ("  Zoë\u00a0 O'Brien-雷 👩\u200d🔬 ", "Zoë O'Brien-雷 👩\u200d🔬"),
        ],
    )
    def test_keeps_what_only_shows(self, text: str, shown: str) -> None:
        assert one_line(text) == shown

    def test_is_asked_of_names_and_devices(self) -> None:
        assert welcome(full_name="Ada\r\nX: y").full_name == "Ada X: y"


def test_a_time_needs_a_zone() -> None:
    naive = {
        "to": "ada@example.com",
        "full_name": "Ada",
        "at": "2026-07-26T08:41:00",
        "was_reset": False,
    }
    with pytest.raises(ValidationError):
        PasswordChanged.model_validate(naive)


def test_links_live_as_long_as_the_manual_says() -> None:
    hours = {
        sample.kind: sample.valid_for.total_seconds() / 3600
        for sample in SAMPLES
        if isinstance(sample, LinkMail)
    }
    assert hours == {
        "welcome": 48,
        "verify_email": 48,
        "confirm_new_email": 48,
        "reset_password": 1,
        "invitation": 7 * 24,
    }
