"""Settings: what is read, and what is refused before anything starts."""

import os
from pathlib import Path

import pytest

from app import setting_types
from app.config import Settings, SettingsError, load_settings
from tests.conftest import settings_for

SECRET = "0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.startswith("ZENITH_"):
            monkeypatch.delenv(name)


def load(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return load_settings()


class TestLists:
    @pytest.mark.parametrize(
        "text", ["a.example, b.example", '["a.example","b.example"]']
    )
    def test_are_json_or_separated_by_commas(
        self, monkeypatch: pytest.MonkeyPatch, text: str
    ) -> None:
        settings = load(monkeypatch, ALLOWED_HOSTS=text)
        assert settings.ALLOWED_HOSTS == ["a.example", "b.example"]

    def test_may_be_empty(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert load(monkeypatch, ALLOWED_ORIGINS="").ALLOWED_ORIGINS == []


class TestNames:
    @pytest.mark.parametrize(
        ("name", "complaint"),
        [
            ("DATABASE_URI", "did you mean DATABASE_URL?"),
            ("SECRET_KEYS", "did you mean SECRET_KEY?"),
            ("database_url", "did you mean DATABASE_URL?"),
            ("ZENITH_COLOUR", "no such setting"),
        ],
    )
    def test_a_misspelling_is_an_error(
        self, monkeypatch: pytest.MonkeyPatch, name: str, complaint: str
    ) -> None:
        with pytest.raises(SettingsError, match=f"^{name}: .*{complaint[:-1]}"):
            load(monkeypatch, **{name: "value-never-shown"})

    def test_a_misspelling_in_the_file_is_one_too(self, tmp_path: Path) -> None:
        (tmp_path / ".env").write_text("DATABASE_URI=secret\n")
        with pytest.raises(SettingsError, match="DATABASE_URI"):
            load_settings()

    def test_names_of_others_are_ignored(self, monkeypatch: pytest.MonkeyPatch) -> None:
        load(monkeypatch, POSTGRES_PASSWORD="x", EDITOR="vi", TEST_DATABASE_URL="y")

    def test_the_environment_goes_before_the_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / ".env").write_text("PROJECT_NAME=file\nLOG_LEVEL=debug\n")
        settings = load(monkeypatch, PROJECT_NAME="environment")
        assert (settings.PROJECT_NAME, settings.LOG_LEVEL) == ("environment", "DEBUG")


class TestValues:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ENVIRONMENT", "staging-value"),
            ("DATABASE_URL", "mysql://user:hidden-value@host/db"),
            ("ALLOWED_ORIGINS", "*"),
            ("ALLOWED_ORIGINS", "https://hidden-value.example/path"),
            ("ALLOWED_HOSTS", '["hidden-value'),
            ("TRUSTED_PROXIES", "hidden-value"),
            ("PUBLIC_URL", "ftp://hidden-value.example"),
            ("PUBLIC_URL", "https://user:hidden-value@example.com"),
            ("API_V1_STR", "hidden-value"),
            ("DB_POOL_SIZE", "0"),
            ("ACCESS_TOKEN_EXPIRE_MINUTES", "hidden-value"),
            ("LOG_LEVEL", "hidden-value"),
            ("RATE_LIMIT_ENABLED", "hidden-value"),
            ("REDIS_URL", "hidden-value"),
            ("REDIS_URL", "http://hidden-value"),
            ("REDIS_URL", "redis://:hidden-value@"),
            ("REDIS_URL", "redis://:hidden-value@/0"),
            ("REDIS_URL", "redis://host:hidden-value"),
            ("REDIS_URL", "redis://host:0/hidden-value"),
            ("REDIS_URL", "redis://[hidden-value"),
            ("REDIS_URL", "redis://host/0?hidden-value=1"),
            ("REDIS_URL", "rediss://host?ssl_check_hostname=hidden-value"),
            ("REDIS_URL", "unix://hidden-value"),
            ("SMTP_URL", "hidden-value"),
            ("SMTP_URL", "http://hidden-value"),
            ("SMTP_URL", "smtp://user:hidden-value@"),
            ("SMTP_URL", "smtp://hidden-value@host"),
            ("SMTP_URL", "smtp://:hidden-value@host"),
            ("SMTP_URL", "smtp://host:hidden-value"),
            ("SMTP_URL", "smtp://[hidden-value"),
            ("SMTP_URL", "smtp://host:0"),
            ("SMTP_URL", "smtps://host/hidden-value"),
            ("SMTP_URL", "smtps://host?starttls=hidden-value"),
            ("SMTP_URL", "smtp://hidden value"),
            ("MAIL_FROM", "hidden-value"),
            ("MAIL_FROM", "hidden-value <a@example.com"),
            ("MAIL_FROM", "hidden-value@example.com, b@example.com"),
            ("MAIL_FROM", "Zenith <hidden-value@example.com> <b@example.com>"),
            ("MAIL_FROM", "Zenith\r\nBcc: hidden-value <a@example.com>"),
            ("MAIL_FROM", "hidden-value\u202e <a@example.com>"),
            ("MAIL_FROM", "a@exa mple.hidden-value"),
            ("MAIL_FROM", "a..b@hidden-value.example"),
            ("MAIL_FROM", "=?utf-8?q?hidden-value?=@example.com"),
            ("MAIL_FROM", "a@hidden-value..example"),
            ("STORAGE_URL", "hidden-value"),
            ("STORAGE_URL", "gs://hidden-value"),
            ("STORAGE_URL", "s3://Hidden-value"),
            ("STORAGE_URL", "s3://key:hidden-value@bucket"),
            ("STORAGE_URL", "s3://bucket/../hidden-value"),
            ("STORAGE_URL", "s3://bucket?hidden-value=1"),
            ("STORAGE_URL", "s3://bucket?endpoint=ftp://hidden-value"),
            ("STORAGE_URL", "s3://bucket?endpoint=https://key:hidden-value@host"),
        ],
    )
    def test_a_wrong_one_is_named_and_never_shown(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        with pytest.raises(SettingsError) as caught:
            load(monkeypatch, **{name: value})
        assert str(caught.value).startswith(f"{name}: ")
        assert "hidden-value" not in str(caught.value)

    def test_secrets_are_never_printed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        url = f"postgresql://app:{SECRET}@host/db"
        settings = load(
            monkeypatch,
            SECRET_KEY=SECRET,
            SECRET_KEY_PREVIOUS=SECRET,
            DATABASE_URL=url,
            DATABASE_ADMIN_URL=url,
            DATABASE_DIRECT_URL=url,
            FIRST_SUPERUSER_PASSWORD=SECRET,
            METRICS_TOKEN=SECRET,
            REDIS_URL=f"redis://:{SECRET}@host",
            SMTP_URL=f"smtps://user:{SECRET}@host",
            STORAGE_URL=f"s3://{SECRET}",
        )
        assert SECRET not in repr(settings)
        assert SECRET not in settings.model_dump_json()

    def test_es256_needs_a_key(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(SettingsError, match="JWT_PRIVATE_KEY_FILE"):
            load(monkeypatch, ALGORITHM="ES256")

    @pytest.mark.parametrize(
        "url",
        [
            "redis://host",
            "redis://user:p%40ss@host:6379/1",
            "redis://[::1]:6379",
            "rediss://:word@host/0?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required",
            "unix:///run/valkey.sock?db=1",
        ],
    )
    def test_redis_may_be_anywhere(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        read = load(monkeypatch, REDIS_URL=url).REDIS_URL
        assert read is not None
        assert read.get_secret_value() == url

    @pytest.mark.parametrize(
        "url",
        [
            "s3://bucket",
            "s3://my.bucket-1/a/prefix/",
            "s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=eu-central-1",
            "s3://bucket?region=auto&endpoint=https://account.example.com/path",
        ],
    )
    def test_files_may_be_in_any_bucket(
        self, monkeypatch: pytest.MonkeyPatch, url: str
    ) -> None:
        read = load(monkeypatch, STORAGE_URL=url).STORAGE_URL
        assert read is not None
        assert read.get_secret_value() == url

    @pytest.mark.parametrize(
        ("name", "value", "extra"),
        [
            ("REDIS_URL", "redis://:hidden-value@host", "redis"),
            ("STORAGE_URL", "s3://hidden-value", "s3"),
        ],
    )
    def test_one_without_its_package_says_how_to_install_it(
        self, monkeypatch: pytest.MonkeyPatch, name: str, value: str, extra: str
    ) -> None:
        monkeypatch.setattr(setting_types, "find_spec", lambda _: None)
        with pytest.raises(SettingsError) as caught:
            load(monkeypatch, **{name: value})
        assert str(caught.value) == (
            f"{name}: needs a package: "
            f"`uv sync --extra {extra}` or `pip install 'zenith[{extra}]'`"
        )


class TestMail:
    @pytest.mark.parametrize(
        "url",
        [
            "smtp://host",
            "smtp://[::1]:1025",
            "smtp+starttls://user:p%40ss@host:587",
            "smtps://user@example.com:word@host",
        ],
    )
    def test_goes_to_a_server(self, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        read = load(monkeypatch, SMTP_URL=url).SMTP_URL
        assert read is not None
        assert read.get_secret_value() == url

    @pytest.mark.parametrize(
        "sender",
        [
            "no-reply@localhost",
            "<a@example.com>",
            "Zenith <a+b@mail.example.com>",
            '"Zenith, Inc." <a@example.com>',
            "Zoë's <a@xn--bcher-kva.example>",
        ],
    )
    def test_comes_from_an_address_that_may_have_a_name(
        self, monkeypatch: pytest.MonkeyPatch, sender: str
    ) -> None:
        read = load(monkeypatch, MAIL_FROM=sender)
        assert sender == read.MAIL_FROM


class TestProduction:
    @pytest.mark.parametrize(
        ("unsafe", "complaint"),
        [
            ({}, "SECRET_KEY: needed in production"),
            ({"SECRET_KEY": SECRET[:-1]}, "SECRET_KEY: needs at least 32 bytes"),
            (
                {"SECRET_KEY": SECRET, "SECRET_KEY_PREVIOUS": "short"},
                "SECRET_KEY_PREVIOUS: needs at least 32 bytes",
            ),
            ({"SECRET_KEY": SECRET, "ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS"),
            (
                {"SECRET_KEY": SECRET, "PUBLIC_URL": "http://example.com"},
                "PUBLIC_URL: must be https",
            ),
            (
                {"SECRET_KEY": SECRET, "SMTP_URL": "smtp://localhost"},
                "MAIL_FROM: needed in production with SMTP_URL",
            ),
        ],
    )
    def test_refuses_an_unsafe_value(
        self, monkeypatch: pytest.MonkeyPatch, unsafe: dict[str, str], complaint: str
    ) -> None:
        with pytest.raises(SettingsError, match=complaint):
            load(monkeypatch, ENVIRONMENT="production", **unsafe)

    def test_takes_safe_ones_and_logs_json(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings = load(
            monkeypatch,
            ENVIRONMENT="production",
            SECRET_KEY=SECRET,
            PUBLIC_URL="https://api.example.com/",
        )
        assert settings.log_format == "json"
        assert settings.PUBLIC_URL == "https://api.example.com"
        assert settings.hosts[0] == "api.example.com"


def test_loopback_is_always_answered_for_health_checks() -> None:
    settings = settings_for(ALLOWED_HOSTS=["API.example.com"])
    assert settings.hosts == ["api.example.com", "localhost", "127.0.0.1", "::1"]
