"""Health, readiness and metrics, outside of the versioned API."""

from fastapi import Response

from app.dependencies import Health, MetricsAccess
from app.errors import NotFound, Unauthorized, Unavailable
from app.schemas.operations import HealthResponse, LiveResponse, ReadyResponse
from app.telemetry import metrics
from app.web.openapi import responses
from app.web.routing import Router

router = Router(tags=["operations"])


@router.get("/health")
async def get_health(health: Health) -> HealthResponse:
    """Tell that the service answers, and its version."""
    return await health.health()


@router.get("/health/live")
async def get_liveness(health: Health) -> LiveResponse:
    """Tell that the process is alive: restart it when this does not answer."""
    return await health.live()


@router.get("/health/ready", responses=responses(Unavailable))
async def get_readiness(health: Health) -> ReadyResponse:
    """Tell whether requests can be served: send none while this answers 503."""
    return await health.ready()


@router.get(
    "/metrics",
    dependencies=[MetricsAccess],
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {}}, "description": "Prometheus text format."},
        **responses(Unauthorized, NotFound),
    },
)
async def get_metrics() -> Response:
    """Export metrics for Prometheus."""
    return Response(await metrics.exposition(), media_type=metrics.CONTENT_TYPE)
