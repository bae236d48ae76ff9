"""What a handler is, and what it works with."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncSession

from app.queue import Job
from app.resources import Resources

J = TypeVar("J", bound=Job)


class GiveUp(Exception):
    """No further attempt can succeed: the job is held, with this message."""


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt at a job."""

    resources: Resources
    session: AsyncSession
    """Its transaction is committed with the end of the job, or neither is."""


@dataclass(frozen=True, slots=True)
class Handler:
    """How jobs of one kind are done."""

    job: type[Job]
    run: Callable[[Any, Work], Awaitable[None]]


def handle(job: type[J], run: Callable[[J, Work], Awaitable[None]]) -> Handler:
    """Pair a kind of job with the function that does it.

    A job can be begun more than once, for a worker can be killed at any moment, so what
    the function does has to be idempotent. What it does in the session's transaction is
    done once; of the rest its docstring says how a second time does no harm.
    """
    return Handler(job, run)
