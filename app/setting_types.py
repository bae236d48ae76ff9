"""What settings look like: each kind is checked before anything uses it."""

import json
import re
from importlib.util import find_spec
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode


def _split(value: Any) -> Any:
    """Read a list as JSON (``["a", "b"]``) or separated by commas (``a, b``)."""
    if not isinstance(value, str):
        return value
    if value.lstrip().startswith("["):
        return json.loads(value)
    return [part.strip() for part in value.split(",") if part.strip()]


def _postgresql_url(value: SecretStr) -> SecretStr:
    scheme = value.get_secret_value().partition("://")[0]
    if scheme not in {"postgresql", "postgres", "postgresql+asyncpg"}:
        raise ValueError("must be a postgresql:// URL")
    return value


_REDIS_SERVER = r"([^@/?#\s]*@)?[^@/?#\s]+(/\d*)?"
_REDIS_TLS = r"&?ssl_(ca_certs|cert_reqs|certfile|keyfile)=[^&\s]+"
_REDIS_FORMS = re.compile(
    rf"redis://{_REDIS_SERVER}"
    rf"|rediss://{_REDIS_SERVER}(\?({_REDIS_TLS})+)?"
    r"|unix://([^@/?#\s]*@)?/[^?#\s]+(\?db=\d+)?"
)


def _redis_url(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        fits = (parts.hostname or parts.scheme == "unix") and parts.port != 0
    except ValueError:  # the port; its text would show a part of the value
        fits = False
    if not fits or not _REDIS_FORMS.fullmatch(value.get_secret_value()):
        raise ValueError("must be a redis://, rediss:// or unix:// URL")
    _require_package("redis", extra="redis")
    return value


_SMTP_FORM = re.compile(r"smtp(s|\+starttls)?://([^:/?#\s]+:[^/?#\s]+@)?[^@/?#\s]+")


def _smtp_url(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        fits = parts.hostname and parts.port != 0
    except ValueError:  # the port; its text would show a part of the value
        fits = False
    if not fits or not _SMTP_FORM.fullmatch(value.get_secret_value()):
        raise ValueError("must be an smtp://, smtp+starttls:// or smtps:// URL")
    return value


_ATOM = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_ADDRESS = rf"{_ATOM}(\.{_ATOM})*@{_LABEL}(\.{_LABEL})*"
_SENDER = re.compile(rf'{_ADDRESS}|("[^"<>\\]*" *|[^"<>\\]*)<{_ADDRESS}>')


def _sender(value: str) -> str:
    if not value.isprintable() or not _SENDER.fullmatch(value):
        raise ValueError("must be an address, or a name and an <address>")
    return value


_S3_BUCKET = r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
_S3_OPTION = r"(endpoint=https?://[^@/?#&\s]+(/[^@?#&\s]*)?|region=[a-z0-9-]+)"
_S3_FORM = re.compile(
    rf"s3://{_S3_BUCKET}(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*/?"
    rf"(\?{_S3_OPTION}(&{_S3_OPTION})?)?"
)


def _storage_url(value: SecretStr) -> SecretStr:
    if not _S3_FORM.fullmatch(value.get_secret_value()):
        raise ValueError("must be s3://bucket/prefix?endpoint=https://host&region=name")
    _require_package("obstore", extra="s3")
    return value


def _require_package(name: str, *, extra: str) -> None:
    if find_spec(name) is None:
        raise ValueError(
            f"needs a package: `uv sync --extra {extra}` or"
            f" `pip install 'zenith[{extra}]'`"
        )


def _web_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an http:// or https:// URL")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("must not hold a user, a query or a fragment")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if "*" in value:
        raise ValueError("'*' would open credentials to every site: name the origins")
    if urlsplit(_web_url(value)).path:
        raise ValueError("an origin has no path")
    return value.rstrip("/")


type_list = (NoDecode, BeforeValidator(_split))
PostgresURL = Annotated[SecretStr, AfterValidator(_postgresql_url)]
RedisURL = Annotated[SecretStr, AfterValidator(_redis_url)]
SmtpURL = Annotated[SecretStr, AfterValidator(_smtp_url)]
Sender = Annotated[str, AfterValidator(_sender)]
StorageURL = Annotated[SecretStr, AfterValidator(_storage_url)]
WebURL = Annotated[str, AfterValidator(_web_url)]
Origin = Annotated[str, AfterValidator(_origin)]
PathPrefix = Annotated[str, Field(pattern=r"^(/[A-Za-z0-9._~-]+)+$")]
