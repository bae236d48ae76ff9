"""Valid requests about organizations and their members."""

from tests.contract.scenes import SECRET, Sample, Samples, Scene
from tests.factories.organizations import member, tenant


async def create_organization(_: Scene) -> Sample:
    return Sample({"name": SECRET})


async def get_organizations(scene: Scene) -> Sample:
    for _ in range(2):
        await tenant(scene.app, owner=scene.caller)
    return Sample()


async def one_organization(scene: Scene) -> Sample:
    return Sample(path=await scene.within())


async def update_organization(scene: Scene) -> Sample:
    return Sample({"name": SECRET}, await scene.within())


async def delete_organization(scene: Scene) -> Sample:
    return Sample(
        path=await scene.within(), query={"slug": (await scene.tenant()).slug}
    )


async def transfer_organization(scene: Scene) -> Sample:
    other = await member(scene.app, await scene.tenant())
    return Sample({"user_id": str(other.user.id)}, await scene.within())


async def get_members(scene: Scene) -> Sample:
    await member(scene.app, await scene.tenant())
    return Sample(path=await scene.within())


async def update_member(scene: Scene) -> Sample:
    other = await member(scene.app, await scene.tenant())
    return Sample({"role": "admin"}, await scene.within(user_id=str(other.user.id)))


async def remove_member(scene: Scene) -> Sample:
    other = await member(scene.app, await scene.tenant())
    return Sample(path=await scene.within(user_id=str(other.user.id)))


SAMPLES: Samples = {
    "create_organization": create_organization,
    "get_organizations": get_organizations,
    "get_organization": one_organization,
    "update_organization": update_organization,
    "delete_organization": delete_organization,
    "transfer_organization": transfer_organization,
    "get_members": get_members,
    "update_member": update_member,
    "remove_member": remove_member,
}
