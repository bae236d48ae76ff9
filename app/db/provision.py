"""Which database to use: the one of the settings, or an embedded one."""

import contextlib
from collections.abc import Callable, Iterator
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from app.config import Settings
from app.db.embedded import EmbeddedPostgres


@contextlib.contextmanager
def provided_database(
    settings: Settings, *, notice: Callable[[str], None] = print
) -> Iterator[Settings]:
    """Yield settings that name a database; without one, start PostgreSQL for them."""
    if settings.DATABASE_URL is not None:
        yield settings
        return
    home, bin_dir = settings.ZENITH_HOME, settings.ZENITH_PG_BIN
    with EmbeddedPostgres(home, bin_dir=bin_dir, notice=notice) as postgres:
        yield settings.model_copy(
            update={
                "DATABASE_URL": SecretStr(postgres.app_url),
                "DATABASE_ADMIN_URL": SecretStr(postgres.owner_url),
            }
        )


def admin_url(settings: Settings) -> str:
    """Return the URL that may change the schema, past a pooler where there is one."""
    url = (
        settings.DATABASE_ADMIN_URL
        or settings.DATABASE_DIRECT_URL
        or settings.DATABASE_URL
    )
    assert url is not None
    return url.get_secret_value()


def app_role(settings: Settings) -> str | None:
    """Return the role that serves, if it is another than the one that migrates."""
    assert settings.DATABASE_URL is not None
    role = urlsplit(settings.DATABASE_URL.get_secret_value()).username
    if role is None or role == urlsplit(admin_url(settings)).username:
        return None
    return unquote(role)
