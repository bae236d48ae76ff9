"""Jobs that nobody does in a test of something else."""

from datetime import timedelta

from fastapi import FastAPI

from app.queue import Queue
from app.queue.files import RemoveFile

LATER = timedelta(days=1)


async def waiting_job(app: FastAPI) -> int:
    """Put a job into the queue that is not due yet, and return its id."""
    async with app.state.resources.sessions.begin() as session:
        id_ = await Queue(session).put(RemoveFile(key="avatars/none"), delay=LATER)
    assert id_ is not None
    return id_
