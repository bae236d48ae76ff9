"""Resources of a command, which asks for little and not for long."""

from contextlib import AbstractAsyncContextManager

from app.config import Settings
from app.resources import Resources, open_resources


def open_few(settings: Settings) -> AbstractAsyncContextManager[Resources]:
    """Open resources with one connection for each lane."""
    return open_resources(settings.model_copy(update={"DB_POOL_SIZE": 1}))
