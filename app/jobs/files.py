"""Looks after files."""

from app.jobs.handlers import Work
from app.queue.files import RemoveFile, RemoveFolder


async def remove_file(job: RemoveFile, work: Work) -> None:
    """Remove a file.

    Idempotent: one that is gone already is no error, and no key is used twice.
    """
    await work.resources.storage.delete(job.key)


async def remove_folder(job: RemoveFolder, work: Work) -> None:
    """Remove all files of a folder, those among them that no row refers to.

    Idempotent: what is gone already is no error.
    """
    await work.resources.storage.delete_below(job.folder)
