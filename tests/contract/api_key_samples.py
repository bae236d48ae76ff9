"""Valid requests about API keys."""

from app.policy import Permission
from tests.contract.scenes import SECRET, Sample, Samples, Scene
from tests.factories.api_keys import api_key

SCOPE = Permission.PRODUCTS_READ


async def get_api_keys(scene: Scene) -> Sample:
    for _ in range(2):
        await api_key(scene.app, await scene.tenant(), scene.caller, SCOPE)
    return Sample(path=await scene.within())


async def create_api_key(scene: Scene) -> Sample:
    body = {"name": SECRET, "scopes": [SCOPE], "expires_at": "2099-12-31T12:00:00Z"}
    return Sample(body, await scene.within())


async def revoke_api_key(scene: Scene) -> Sample:
    key = await api_key(scene.app, await scene.tenant(), scene.caller, SCOPE)
    return Sample(path=await scene.within(api_key_id=str(key.row.id)))


SAMPLES: Samples = {
    "get_api_keys": get_api_keys,
    "create_api_key": create_api_key,
    "revoke_api_key": revoke_api_key,
}
