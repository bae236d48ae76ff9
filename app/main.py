"""Composes the application."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from typing_extensions import override

from app import __version__
from app.config import Settings, load_settings
from app.db.errors import NO_DATABASE
from app.db.migrations import head_revision
from app.db.repositories.jobs import JobReader
from app.lifecycle import is_draining, settle_memory
from app.middleware.edge import EdgeMiddleware
from app.middleware.guard import GuardMiddleware
from app.resources import Resources, open_resources
from app.routers import (
    api_keys,
    audit_events,
    auth,
    data_exports,
    docs,
    invitations,
    jobs,
    members,
    operations,
    organizations,
    own_invitations,
    profiles,
    sessions,
    support,
    users,
    well_known,
)
from app.telemetry.logs import configure_logging
from app.telemetry.metrics import set_connections_in_use, set_queue
from app.web import handlers
from app.web.assets import ASSETS_PATH, swagger_assets
from app.web.cors import ProblemCORSMiddleware
from app.web.openapi import DESCRIPTION, TAGS, describe
from app.web.pictures import AVATAR_PATH

POOL_GAUGE_SECONDS, QUEUE_GAUGE_SECONDS = 5, 15
DRAINING_POLL_SECONDS = 0.2


class Zenith(FastAPI):
    """FastAPI with a description of its own."""

    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            prefix = self.state.settings.API_V1_STR
            self.openapi_schema = describe(self, token_url=f"{prefix}/auth/token")
        return self.openapi_schema


def create_app(settings: Settings | None = None, *, works: bool = False) -> FastAPI:
    """Make an application; it connects to nothing before its lifespan begins.

    One that ``works`` does the jobs of the queue as well.
    """
    settings = settings or load_settings()
    app = Zenith(
        title=settings.PROJECT_NAME,
        description=DESCRIPTION,
        openapi_tags=TAGS,
        version=__version__,
        lifespan=lifespan,
        openapi_url=f"{settings.API_V1_STR}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.settings = settings
    app.state.works = works
    _include_routers(app, settings)
    handlers.install(app)
    # The last one added stands outermost.
    app.add_middleware(
        GuardMiddleware,
        max_body_bytes=settings.MAX_BODY_BYTES,
        self_bounded=[f"{settings.API_V1_STR}{AVATAR_PATH}"],
    )
    if settings.ALLOWED_ORIGINS:
        app.add_middleware(ProblemCORSMiddleware, settings=settings)
    app.add_middleware(EdgeMiddleware, settings=settings)
    return app


def _include_routers(app: FastAPI, settings: Settings) -> None:
    """Put the routes that are asked most often first: each one before costs time."""
    for resource in (users, organizations, members, profiles, auth, sessions):
        app.include_router(resource.router, prefix=settings.API_V1_STR)
    for resource in (invitations, own_invitations, api_keys, audit_events):
        app.include_router(resource.router, prefix=settings.API_V1_STR)
    for resource in (data_exports, jobs, support):
        app.include_router(resource.router, prefix=settings.API_V1_STR)
    app.include_router(operations.router)
    app.include_router(well_known.router)
    app.include_router(docs.router)
    app.mount(ASSETS_PATH, swagger_assets())


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with (
        open_resources(app.state.settings) as resources,
        _working(resources) if app.state.works else contextlib.nullcontext(),
    ):
        app.state.resources = resources
        gauges = [
            asyncio.create_task(watch(resources))
            for watch in (_watch_pools, _watch_queue)
        ]
        head_revision()  # reads a folder once: no request should wait for that
        settle_memory()
        try:
            yield
        finally:
            for gauge in gauges:
                gauge.cancel()


@contextlib.asynccontextmanager
async def _working(resources: Resources) -> AsyncIterator[None]:
    """Do jobs beside the requests, until either drains."""
    from app.worker.worker import Worker  # noqa: PLC0415 - most processes do not work

    stop = asyncio.Event()
    worker = asyncio.create_task(Worker(resources).run(stop))
    watch = asyncio.create_task(_stop_when_draining(stop))
    try:
        yield
    finally:
        watch.cancel()
        stop.set()
        await worker


async def _stop_when_draining(stop: asyncio.Event) -> None:
    while not is_draining():  # noqa: ASYNC110 - a signal sets it, outside of the loop
        await asyncio.sleep(DRAINING_POLL_SECONDS)
    stop.set()


async def _watch_pools(resources: Resources) -> None:
    while True:
        set_connections_in_use(
            sessions=resources.connections_in_use, reader=resources.reader.in_use
        )
        await asyncio.sleep(POOL_GAUGE_SECONDS)


async def _watch_queue(resources: Resources) -> None:
    """Tell of the queue wherever requests are served: perhaps no worker runs."""
    jobs = JobReader(resources.reader)
    while True:
        with contextlib.suppress(*NO_DATABASE):
            state = await jobs.state()
            set_queue(held=state.held, oldest_due_seconds=state.oldest_due_seconds)
        await asyncio.sleep(QUEUE_GAUGE_SECONDS)


def served_app(settings: Settings, *, works: bool = False) -> FastAPI:
    """Make the application of a process that does nothing else."""
    configure_logging(style=settings.log_format, level=settings.LOG_LEVEL)
    return create_app(settings, works=works)


def __getattr__(name: str) -> FastAPI:
    # Made when a server asks: importing does nothing.
    if name in {"app", "working_app"}:
        return served_app(load_settings(), works=name == "working_app")
    raise AttributeError(name)
