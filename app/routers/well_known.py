"""Documents at well-known places (RFC 8615)."""

from typing import Any

from app.dependencies import SharedResources
from app.schemas.auth import JWKSResponse
from app.web.routing import Router

router = Router(prefix="/.well-known", tags=["auth"])


@router.get("/jwks.json", response_model=JWKSResponse)
async def get_jwks(resources: SharedResources) -> dict[str, Any]:
    """Publish the keys that verify access tokens (none while they are secrets)."""
    return resources.keys.jwks()
