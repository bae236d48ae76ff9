"""A valid request of each operation, to be spoiled in one place at a time.

An operation that has a JSON body or a parameter in its path needs an entry here; the
suite fails until it has one.
"""

from uuid import uuid4

from app.models.email_tokens import Purpose
from app.policy import Role
from tests.contract import (
    api_key_samples,
    audit_samples,
    invitation_samples,
    organization_samples,
    support_samples,
)
from tests.contract.operations import Operation
from tests.contract.scenes import PASSWORD, SECRET, Sample, Samples, Scene
from tests.factories.email_tokens import email_token
from tests.factories.jobs import waiting_job
from tests.factories.organizations import member
from tests.factories.pictures import picture, upload
from tests.factories.users import account, registration, signed_in


async def register(_: Scene) -> Sample:
    email = f"{SECRET}-{uuid4().hex}@example.com"
    return Sample(registration(email=email, password=PASSWORD, full_name=SECRET))


async def create_user(scene: Scene) -> Sample:
    return await register(scene)


async def change_password(_: Scene) -> Sample:
    return Sample({"current_password": PASSWORD, "new_password": f"new {PASSWORD}"})


async def delete_account(scene: Scene) -> Sample:
    for one in scene.tenants:  # an owner has to stay
        await member(scene.app, one, Role.OWNER)
    return Sample({"password": PASSWORD})


async def verify_email(scene: Scene) -> Sample:
    user = scene.caller.user
    return Sample({"token": await email_token(scene.app, user, Purpose.VERIFY_EMAIL)})


async def change_email(_: Scene) -> Sample:
    new_email = f"{SECRET}-{uuid4().hex}@example.com"
    return Sample({"new_email": new_email, "password": PASSWORD})


async def forgot_password(scene: Scene) -> Sample:
    return Sample({"email": scene.caller.user.email})


async def reset_password(scene: Scene) -> Sample:
    user = scene.caller.user
    token = await email_token(scene.app, user, Purpose.RESET_PASSWORD)
    return Sample({"token": token, "password": f"new {PASSWORD}"})


async def get_jobs(scene: Scene) -> Sample:
    await waiting_job(scene.app)
    await waiting_job(scene.app)
    return Sample()


async def any_job(scene: Scene) -> Sample:
    return Sample(path={"job_id": str(await waiting_job(scene.app))})


async def end_session(scene: Scene) -> Sample:
    return Sample(path={"session_id": str(scene.caller.session.id)})


async def get_users(scene: Scene) -> Sample:
    await account(scene.app)
    return Sample()


async def get_sessions(scene: Scene) -> Sample:
    await signed_in(scene.app, scene.caller.user)
    return Sample()


async def update_own_user(_: Scene) -> Sample:
    return Sample({"full_name": SECRET})


async def get_user(scene: Scene) -> Sample:
    return Sample(path={"user_id": str(scene.caller.user.id)})


async def update_user(scene: Scene) -> Sample:
    return Sample({"full_name": SECRET}, {"user_id": str(scene.caller.user.id)})


async def update_profile(_: Scene) -> Sample:
    return Sample({"locale": "pt-BR", "time_zone": "America/Sao_Paulo"})


async def put_avatar(_: Scene) -> Sample:
    return Sample(file=picture())


async def get_avatar(scene: Scene) -> Sample:
    await upload(scene.caller, picture())
    return Sample()


async def delete_user(scene: Scene) -> Sample:
    other = await account(scene.app)
    return Sample(path={"user_id": str(other.user.id)})


async def probe(_: Scene) -> Sample:
    body = {
        "email": f"{SECRET}@example.com",
        "name": SECRET,
        "note": SECRET,
        "amount": 9_876_543,
        "ratio": 0.5,
        "is_new": True,
        "kind": "small",
        "lines": [{"product_id": str(uuid4()), "quantity": 1}],
    }
    return Sample(body, path={"id": str(uuid4())})


SAMPLES: Samples = {
    **audit_samples.SAMPLES,
    **organization_samples.SAMPLES,
    **invitation_samples.SAMPLES,
    **api_key_samples.SAMPLES,
    **support_samples.SAMPLES,
    "register": register,
    "change_password": change_password,
    "delete_account": delete_account,
    "verify_email": verify_email,
    "change_email": change_email,
    "forgot_password": forgot_password,
    "reset_password": reset_password,
    "get_jobs": get_jobs,
    "get_job": any_job,
    "retry_job": any_job,
    "discard_job": any_job,
    "end_session": end_session,
    "get_sessions": get_sessions,
    "update_own_user": update_own_user,
    "create_user": create_user,
    "get_users": get_users,
    "get_user": get_user,
    "update_user": update_user,
    "delete_user": delete_user,
    "update_profile": update_profile,
    "put_avatar": put_avatar,
    "get_avatar": get_avatar,
    "probe": probe,
}


def needs_sample(operation: Operation) -> bool:
    return operation.body is not None or bool(operation.parameters("path"))


async def sample_of(operation: Operation, scene: Scene) -> Sample:
    if operation.id in SAMPLES:
        return await SAMPLES[operation.id](scene)
    assert not needs_sample(operation), (
        f"{operation.method} {operation.path} needs a valid request in"
        f" tests/contract/samples.py, under its operation id {operation.id!r}."
    )
    return Sample()
