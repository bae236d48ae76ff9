"""Kinds of jobs, and when they are tried again."""

from datetime import timedelta

import pytest

from app.jobs.handlers import Handler
from app.jobs.registry import HANDLERS, SCHEDULE
from app.queue import Job, Retries


def test_delays_double_up_to_the_longest_with_a_jitter() -> None:
    retries = Retries(limit=9, first=timedelta(seconds=2), longest=timedelta(hours=1))
    for attempt, whole in ((1, 2), (2, 4), (5, 32), (12, 3600), (10_000, 3600)):
        delays = {retries.delay(attempt).total_seconds() for _ in range(50)}
        assert whole / 2 <= min(delays) < max(delays) <= whole


def test_a_job_without_a_type_is_none() -> None:
    with pytest.raises(TypeError, match="Nameless needs a type"):
        type("Nameless", (Job,), {"__module__": __name__})


def test_types_of_jobs_are_their_own() -> None:
    types = [handler.job.type for handler in HANDLERS]
    assert len(set(types)) == len(types)


def test_what_is_periodic_has_a_handler_and_a_name_of_its_own() -> None:
    names = [periodic.name for periodic in SCHEDULE]
    assert len(set(names)) == len(names)
    known = {handler.job for handler in HANDLERS}
    assert {type(periodic.job) for periodic in SCHEDULE} <= known


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.job.type)
def test_a_handler_says_how_it_is_idempotent(handler: Handler) -> None:
    assert "Idempotent" in (handler.run.__doc__ or "")


@pytest.mark.parametrize("handler", HANDLERS, ids=lambda handler: handler.job.type)
def test_a_kind_of_job_says_what_it_does(handler: Handler) -> None:
    assert handler.job.__doc__
