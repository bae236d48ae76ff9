"""What a database needs before it can be served from."""

from collections.abc import Callable

from app.cli.accounts import FirstSuperuser, create_first_superuser
from app.config import Settings
from app.db.migrations import current_revision, head_revision, migrate
from app.db.provision import admin_url, app_role


async def prepare(
    settings: Settings, *, notice: Callable[[str], None]
) -> FirstSuperuser | None:
    """Bring the database to the newest schema, with somebody who may do everything."""
    url = admin_url(settings)
    if await current_revision(url) != head_revision():
        notice("Migrating the schema ...")
        await migrate(url, app_role=app_role(settings), notice=notice)
    return await create_first_superuser(settings)
