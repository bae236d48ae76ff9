"""Composes the application."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI
from typing_extensions import override

from app import __version__
from app.config import Settings, load_settings
from app.db.migrations import head_revision
from app.middleware.edge import EdgeMiddleware
from app.middleware.guard import GuardMiddleware
from app.resources import Resources, open_resources
from app.routers import auth, docs, operations, sessions, users, well_known
from app.telemetry.logs import configure_logging
from app.telemetry.metrics import set_connections_in_use
from app.web import handlers
from app.web.assets import ASSETS_PATH, swagger_assets
from app.web.cors import ProblemCORSMiddleware
from app.web.openapi import DESCRIPTION, TAGS, describe

POOL_GAUGE_SECONDS = 5


class Zenith(FastAPI):
    """FastAPI with a description of its own."""

    @override
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            prefix = self.state.settings.API_V1_STR
            self.openapi_schema = describe(self, token_url=f"{prefix}/auth/token")
        return self.openapi_schema


def create_app(settings: Settings | None = None) -> FastAPI:
    """Make an application; it connects to nothing before its lifespan begins."""
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
    _include_routers(app, settings)
    handlers.install(app)
    # The last one added stands outermost.
    app.add_middleware(GuardMiddleware, max_body_bytes=settings.MAX_BODY_BYTES)
    if settings.ALLOWED_ORIGINS:
        app.add_middleware(ProblemCORSMiddleware, settings=settings)
    app.add_middleware(EdgeMiddleware, settings=settings)
    return app


def _include_routers(app: FastAPI, settings: Settings) -> None:
    """Put the routes that are asked most often first: each one before costs time."""
    for resource in (users, auth, sessions):
        app.include_router(resource.router, prefix=settings.API_V1_STR)
    app.include_router(operations.router)
    app.include_router(well_known.router)
    app.include_router(docs.router)
    app.mount(ASSETS_PATH, swagger_assets())


@contextlib.asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with open_resources(app.state.settings) as resources:
        app.state.resources = resources
        gauge = asyncio.create_task(_watch_pools(resources))
        head_revision()  # reads a folder once: no request should wait for that
        # What was made so far stays for good: the collector need not look at it again.
        # It is not collected before, for that takes long and finds next to nothing.
        gc.freeze()
        gc.set_threshold(10_000, 20, 50)
        gc.enable()
        try:
            yield
        finally:
            gauge.cancel()


async def _watch_pools(resources: Resources) -> None:
    while True:
        set_connections_in_use(
            sessions=resources.connections_in_use, reader=resources.reader.in_use
        )
        await asyncio.sleep(POOL_GAUGE_SECONDS)


def served_app(settings: Settings) -> FastAPI:
    """Make the application of a process that does nothing else."""
    configure_logging(style=settings.log_format, level=settings.LOG_LEVEL)
    return create_app(settings)


def __getattr__(name: str) -> FastAPI:
    if name == "app":  # made when a server asks for it: importing has no effect
        return served_app(load_settings())
    raise AttributeError(name)
