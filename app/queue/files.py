"""Jobs about files."""

from app.queue.base import FOR_DAYS, Job


class RemoveFile(Job):
    """Removes a file that no row refers to any more."""

    type = "files.remove"
    retries = FOR_DAYS

    key: str


class RemoveFolder(Job):
    """Removes all files of something that is no more."""

    type = "files.remove_folder"
    retries = FOR_DAYS

    folder: str
