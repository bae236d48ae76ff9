"""Types that more than one body is made of."""

import pytest

from app.mail.messages import AccountDeleted
from app.schemas.types import normalize_email


class TestEmail:
    @pytest.mark.parametrize(
        "address",
        [
            "=?utf-8?q?=0d=0abcc=3a_eve=40evil.example?=@example.com",
            "=?utf-8?q?eve=40evil.example=2c?=@example.com",
            "x.=?utf-8?q?eve?=@example.com",
        ],
    )
    def test_is_no_encoded_word(self, address: str) -> None:
        with pytest.raises(ValueError, match="not an e-mail address"):
            normalize_email(address)

    @pytest.mark.parametrize(
        "address",
        [
            "a!#$%&'*+/=^_`{|}~-?b@example.com",
            "Zoë@Bücher.example",
            "İ" * 100 + "@" + "雷" * 10 + ".example",  # longer in lower case
        ],
    )
    def test_is_one_that_a_mail_can_go_to(self, address: str) -> None:
        email = normalize_email(address)
        assert AccountDeleted(to=email, full_name="Ada").to == email
