"""Prometheus metrics, of one process or summed over all workers."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.metrics_core import Metric
from typing_extensions import override

CONTENT_TYPE = CONTENT_TYPE_LATEST
MULTIPROCESS_DIR = "PROMETHEUS_MULTIPROC_DIR"
"""The environment's name for the folder that workers share; the library reads it."""

UNMATCHED = "unmatched"
"""The route of requests to no route, so that made-up paths make no new series."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})

_requests = Counter(
    "http_requests_total", "Requests answered.", ["method", "route", "status"]
)
_seconds = Histogram(
    "http_request_duration_seconds",
    "Time from the request's head to the response's end.",
    ["method", "route"],
    buckets=_BUCKETS,
)
_connections = Gauge(
    "db_connections_in_use",
    "Database connections that work for a request.",
    ["lane"],
    multiprocess_mode="livesum",
)

_jobs = Counter("jobs_total", "Attempts at jobs.", ["type", "outcome"])
_job_seconds = Histogram(
    "job_duration_seconds",
    "Time of an attempt at a job.",
    ["type"],
    buckets=(*_BUCKETS, 30, 60, 300),
)

_held = Gauge("jobs_held", "Jobs that wait for somebody.", multiprocess_mode="livemax")
_oldest = Gauge(
    "jobs_oldest_due_seconds",
    "How long a job waits that a worker could have begun.",
    multiprocess_mode="livemax",
)
_swept = Counter("housekeeping_rows_total", "Rows deleted as out of date.", ["what"])

# labels() checks and hashes its arguments each time; the sets of labels are few.
_request_series: dict[tuple[str, str, int], Counter] = {}
_second_series: dict[tuple[str, str], Histogram] = {}


def observe_request(
    method: str, route: str | None, status: int, seconds: float
) -> None:
    """Count one request under its route template, never under its path."""
    method = method if method in _METHODS else "other"
    route = route or UNMATCHED
    key = (method, route, status)
    if key not in _request_series:
        _request_series[key] = _requests.labels(method, route, str(status))
        _second_series[key[:2]] = _seconds.labels(method, route)
    _request_series[key].inc()
    _second_series[key[:2]].observe(seconds)


def observe_job(type: str, outcome: str, seconds: float) -> None:
    """Count one attempt at a job: done, retried, held, lost, stopped or failed."""
    _jobs.labels(type, outcome).inc()
    _job_seconds.labels(type).observe(seconds)


def count_swept(what: str, rows: int) -> None:
    _swept.labels(what).inc(rows)


def set_connections_in_use(*, sessions: int, reader: int) -> None:
    _connections.labels("sessions").set(sessions)
    _connections.labels("reader").set(reader)


def set_queue(*, held: int, oldest_due_seconds: float) -> None:
    _held.set(held)
    _oldest.set(oldest_due_seconds)


async def exposition() -> bytes:
    """Write the metrics of all workers in Prometheus' text format.

    A thread does it, for it reads files: of /proc, and of each worker.
    """
    return await asyncio.to_thread(_exposition)


def _exposition() -> bytes:
    if MULTIPROCESS_DIR not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    _Workers(registry)  # type: ignore[no-untyped-call]  # untyped upstream
    return generate_latest(registry)


class _Workers(multiprocess.MultiProcessCollector):
    """Adds up the files of all workers, killed ones and just begun ones among them."""

    @override
    def collect(self) -> Iterable[Metric]:
        files = sorted(Path(os.environ[MULTIPROCESS_DIR]).glob("*.db"))
        # A gauge of what is in use now dies with its worker; a counter does not.
        counted = [f for f in files if not _is_left_over(f) and f.stat().st_size]
        merged: Iterable[Metric] = self.merge(map(str, counted))  # type: ignore[no-untyped-call]  # untyped upstream
        return merged


def _is_left_over(file: Path) -> bool:
    if not file.name.startswith("gauge_live"):
        return False
    try:
        os.kill(int(file.stem.rpartition("_")[2]), 0)
    except ProcessLookupError:
        return True
    return False
