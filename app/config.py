"""Settings: read from the environment and ``.env``, checked before anything starts."""

import difflib
import os
from enum import StrEnum
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import (
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.errors import OperatorError
from app.setting_types import (
    Origin,
    PathPrefix,
    PostgresURL,
    RedisURL,
    Sender,
    SmtpURL,
    StorageURL,
    WebURL,
    type_list,
)

ENV_FILE = Path(".env")
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
MIN_SECRET_BYTES = 32
SIMILAR = 0.85  # difflib's ratio from which a name is taken for a misspelling


class SettingsError(OperatorError):
    """A setting is wrong; each line of the message names it and never its value."""


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Settings(BaseSettings):
    """Every setting of Zenith; ``.env.example`` tells what each is for."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE,
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        case_sensitive=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        validate_default=True,
    )

    ENVIRONMENT: Environment = Environment.DEVELOPMENT
    PROJECT_NAME: str = Field(default="Zenith API", min_length=1, max_length=100)
    API_V1_STR: PathPrefix = "/api/v1"
    ZENITH_HOME: Path = Path(".zenith")
    ZENITH_PG_BIN: Path | None = None

    DATABASE_URL: PostgresURL | None = None
    DATABASE_ADMIN_URL: PostgresURL | None = None
    DATABASE_DIRECT_URL: PostgresURL | None = None
    DB_POOL_SIZE: int = Field(default=10, ge=1, le=1000)
    DB_MAX_OVERFLOW: int = Field(default=20, ge=0, le=1000)
    REDIS_URL: RedisURL | None = None
    STORAGE_URL: StorageURL | None = None

    SECRET_KEY: SecretStr | None = None
    SECRET_KEY_PREVIOUS: SecretStr | None = None
    ALGORITHM: Literal["HS256", "ES256"] = "HS256"
    JWT_PRIVATE_KEY_FILE: Path | None = None
    JWT_PUBLIC_KEY_FILES: Annotated[list[Path], *type_list] = []
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(default=30, ge=1, le=24 * 60)
    REFRESH_TOKEN_EXPIRE_DAYS: int = Field(default=7, ge=1, le=90)

    ALLOWED_ORIGINS: Annotated[list[Origin], *type_list] = []
    ALLOWED_HOSTS: Annotated[list[str], *type_list] = []
    TRUSTED_PROXIES: Annotated[list[IPv4Network | IPv6Network], *type_list] = []
    PUBLIC_URL: WebURL = "http://localhost:8000"
    MAX_BODY_BYTES: int = Field(default=1_048_576, ge=1024, le=2**30)
    RATE_LIMIT_ENABLED: bool = True

    SMTP_URL: SmtpURL | None = None
    MAIL_FROM: Sender = "no-reply@localhost"

    FIRST_SUPERUSER_EMAIL: str = "admin@example.com"
    FIRST_SUPERUSER_PASSWORD: SecretStr | None = None
    METRICS_TOKEN: SecretStr | None = None
    LOG_FORMAT: Literal["console", "json"] | None = None
    LOG_LEVEL: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("ZENITH_HOME", "ZENITH_PG_BIN")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return value and value.expanduser().absolute()

    @field_validator("LOG_LEVEL", mode="before")
    @classmethod
    def _upper(cls, value: Any) -> Any:
        return value.upper() if isinstance(value, str) else value

    @field_validator("SECRET_KEY", "SECRET_KEY_PREVIOUS")
    @classmethod
    def _long_enough(
        cls, value: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if value is None or info.data.get("ENVIRONMENT") != Environment.PRODUCTION:
            return value
        if len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"needs at least {MIN_SECRET_BYTES} bytes in production")
        return value

    @model_validator(mode="after")
    def _keys_fit_the_algorithm(self) -> Self:
        if self.ALGORITHM == "ES256" and self.JWT_PRIVATE_KEY_FILE is None:
            raise ValueError("JWT_PRIVATE_KEY_FILE: needed with ALGORITHM=ES256")
        return self

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if not self.in_production:
            return self
        if self.SECRET_KEY is None:
            raise ValueError(
                "SECRET_KEY: needed in production; 32 random bytes or more"
            )
        if "*" in self.ALLOWED_HOSTS:
            raise ValueError("ALLOWED_HOSTS: '*' is unsafe in production")
        url = urlsplit(self.PUBLIC_URL)
        if url.scheme != "https" and url.hostname not in LOOPBACK_HOSTS:
            raise ValueError("PUBLIC_URL: must be https:// in production")
        if self.SMTP_URL and "MAIL_FROM" not in self.model_fields_set:
            raise ValueError("MAIL_FROM: needed in production with SMTP_URL")
        return self

    @property
    def in_production(self) -> bool:
        return self.ENVIRONMENT is Environment.PRODUCTION

    @property
    def hosts(self) -> list[str]:
        """Host names that are answered: the given ones, or one's own.

        Loopback always is, for health checks on this machine; no URL is ever built
        from the Host header.
        """
        own = urlsplit(self.PUBLIC_URL).hostname or "localhost"
        given = [host.lower() for host in self.ALLOWED_HOSTS]
        return [*(given or [own]), *LOOPBACK_HOSTS]

    @property
    def log_format(self) -> Literal["console", "json"]:
        return self.LOG_FORMAT or ("json" if self.in_production else "console")


def misspelled(names: list[str]) -> list[str]:
    """Tell of each name that looks like a setting and is none."""
    known = list(Settings.model_fields)
    complaints = []
    for name in sorted(set(names) - set(known)):
        close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=SIMILAR)
        if close:
            complaints.append(f"{name}: no such setting; did you mean {close[0]}?")
        elif name.startswith("ZENITH_"):
            complaints.append(f"{name}: no such setting")
    return complaints


def _in_one_line(error: Any) -> str:
    message = error["msg"].removeprefix("Value error, ")
    return f"{error['loc'][0]}: {message}" if error["loc"] else message


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; raise `SettingsError` that names each wrong one."""
    names = [*os.environ, *(dotenv_values(ENV_FILE) if ENV_FILE.is_file() else ())]
    if complaints := misspelled(names):
        raise SettingsError("\n".join(complaints))
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_in_one_line(e) for e in error.errors(include_input=False)]
        raise SettingsError("\n".join(lines)) from None


settings: Settings
_settings = cache(load_settings)


def __getattr__(name: str) -> Settings:
    if name == "settings":  # read at first use, so that importing has no effect
        return _settings()
    raise AttributeError(name)
