"""Valid requests about invitations."""

from uuid import uuid4

from sqlalchemy import update

from app.models.base import utc_now
from app.models.users import User
from tests.contract.scenes import SECRET, Sample, Samples, Scene
from tests.factories.invitations import invitation
from tests.factories.organizations import tenant


async def get_invitations(scene: Scene) -> Sample:
    for _ in range(2):
        await invitation(scene.app, await scene.tenant())
    return Sample(path=await scene.within())


async def create_invitation(scene: Scene) -> Sample:
    email = f"{SECRET}-{uuid4().hex}@example.com"
    return Sample({"email": email, "role": "member"}, await scene.within())


async def one_invitation(scene: Scene) -> Sample:
    invited = await invitation(scene.app, await scene.tenant())
    return Sample(path=await scene.within(invitation_id=str(invited.row.id)))


async def get_own_invitations(scene: Scene) -> Sample:
    for _ in range(2):
        await own_invitation(scene)
    return Sample()


async def own_invitation(scene: Scene) -> Sample:
    caller = scene.caller.user
    async with scene.app.state.resources.sessions.begin() as session:
        verified = update(User).where(User.id == caller.id)
        await session.execute(verified.values(email_verified_at=utc_now()))
    another = await tenant(scene.app)
    return Sample((await invitation(scene.app, another, caller.email)).body)


SAMPLES: Samples = {
    "get_invitations": get_invitations,
    "create_invitation": create_invitation,
    "revoke_invitation": one_invitation,
    "resend_invitation": one_invitation,
    "get_own_invitations": get_own_invitations,
    "accept_invitation": own_invitation,
    "decline_invitation": own_invitation,
}
