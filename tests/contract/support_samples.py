"""Valid requests of superusers who help people."""

from tests.contract.scenes import Sample, Samples, Scene
from tests.factories.organizations import tenant
from tests.factories.users import account


async def get_all_organizations(scene: Scene) -> Sample:
    for _ in range(2):
        await tenant(scene.app)
    return Sample()


async def impersonate_user(scene: Scene) -> Sample:
    other = await account(scene.app)
    return Sample(path={"user_id": str(other.user.id)})


SAMPLES: Samples = {
    "get_all_organizations": get_all_organizations,
    "impersonate_user": impersonate_user,
}
