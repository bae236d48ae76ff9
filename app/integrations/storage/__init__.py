"""Where files are kept: a folder of this machine, or an object storage."""

from app.config import Settings
from app.integrations.storage.folder import FolderStorage
from app.integrations.storage.port import NoSuchObject, Part, Storage

__all__ = ["FolderStorage", "NoSuchObject", "Part", "Storage", "storage_of"]


def storage_of(settings: Settings) -> Storage:
    """Return the storage that the settings name; it is not asked for anything yet."""
    if settings.STORAGE_URL is None:
        return FolderStorage(settings.ZENITH_HOME / "files")
    from app.integrations.storage.objects import (  # noqa: PLC0415 - an extra
        ObjectStorage,
        open_store,
    )

    return ObjectStorage(open_store(settings.STORAGE_URL.get_secret_value()))
