"""Jobs of the application, done in the test's own process."""

import asyncio
from datetime import timedelta

from fastapi import FastAPI
from sqlalchemy import func, select

from app.jobs.handlers import Handler
from app.models.jobs import QUEUE
from app.worker.worker import Pace, Worker

PACE = Pace(poll=timedelta(seconds=0.1))


async def do_jobs(app: FastAPI, *handlers: Handler) -> None:
    """Work until no job of these kinds is left that could be begun now."""
    resources, stop = app.state.resources, asyncio.Event()
    worker = Worker(resources, handlers=handlers, schedule=(), pace=PACE)
    working = asyncio.create_task(worker.run(stop))
    due = (
        select(func.count())
        .where(QUEUE.c.entrypoint.in_([handler.job.type for handler in handlers]))
        .where(QUEUE.c.status.in_(["queued", "picked"]))
        .where(QUEUE.c.execute_after <= func.now())
    )
    left = 1
    while left:
        await asyncio.sleep(0.02)
        async with resources.sessions() as session:
            left = await session.scalar(due)
    stop.set()
    await working
