"""No secret of the settings is found in what is shown or said of them."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from app.config import SettingsError, load_settings
from tests.conftest import settings_for
from tests.test_secrets import (
    DATABASE_PASSWORD,
    METRICS_TOKEN,
    PASSWORDS,
    SECRET_KEY,
)


class TestSettings:
    def test_none_is_in_their_representation(self) -> None:
        settings = settings_for(
            SECRET_KEY=SecretStr(SECRET_KEY),
            METRICS_TOKEN=SecretStr(METRICS_TOKEN),
            FIRST_SUPERUSER_PASSWORD=SecretStr(str(PASSWORDS["right"])),
            DATABASE_URL=SecretStr(
                f"postgresql://zenith:{DATABASE_PASSWORD}@db/zenith"
            ),
        )
        for text in (repr(settings), str(settings), settings.model_dump_json()):
            for secret in (SECRET_KEY, METRICS_TOKEN, DATABASE_PASSWORD):
                assert secret not in text
            assert str(PASSWORDS["right"]) not in text

    def test_none_is_in_what_is_said_of_a_wrong_one(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        wrong = {
            "ENVIRONMENT": "production",
            "SECRET_KEY": "too-short-a-secret",
            "DATABASE_URL": f"mysql://zenith:{DATABASE_PASSWORD}@db/zenith",
            "PUBLIC_URL": f"https://zenith:{DATABASE_PASSWORD}@example.com",
            "ACCESS_TOKEN_EXPIRE_MINUTES": METRICS_TOKEN,
        }
        for name, value in wrong.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SettingsError) as error:
            load_settings()
        for name in wrong.keys() - {"ENVIRONMENT"}:
            assert name in str(error.value)
        for secret in ("too-short-a-secret", DATABASE_PASSWORD, METRICS_TOKEN):
            assert secret not in str(error.value)
