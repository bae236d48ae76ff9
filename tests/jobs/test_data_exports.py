"""The job of an export, begun again at any moment."""

import pytest
from fastapi import FastAPI

from app.config import Settings
from app.db.connections import Connection
from app.jobs.data_exports import export_data
from app.jobs.handlers import Work
from app.queue.data_exports import ExportData
from app.resources import Resources
from tests.factories.data_exports import EXPORT, files_of, make_exports
from tests.factories.users import Account, account


async def asked(who: Account, owner: Connection) -> ExportData:
    """Ask for an export, and take its job out of the queue."""
    assert (await who.client.get(EXPORT)).status_code == 202
    payload = await owner.fetchval(
        "DELETE FROM jobs.queue WHERE entrypoint = 'data_exports.make'"
        " AND convert_from(payload, 'UTF8')::jsonb ->> 'user_id' = $1"
        " RETURNING convert_from(payload, 'UTF8')",
        str(who.user.id),
    )
    return ExportData.model_validate_json(payload)


async def attempt(job: ExportData, resources: Resources, *, commits: bool) -> None:
    """Do the job; an attempt that does not commit is killed just before."""
    async with resources.sessions() as session:
        await export_data(job, Work(resources, session))
        if commits:
            await session.commit()


async def mails_to(who: Account, owner: Connection) -> int:
    count: int = await owner.fetchval(
        "SELECT count(*) FROM jobs.queue WHERE entrypoint = 'mail.send'"
        " AND convert_from(payload, 'UTF8')::jsonb #>> '{mail,to}' = $1",
        who.user.email,
    )
    return count


async def test_a_killed_attempt_is_made_good_by_the_next(
    app: FastAPI, resources: Resources, settings: Settings, owner_connection: Connection
) -> None:
    ada = await account(app)
    job = await asked(ada, owner_connection)
    await attempt(job, resources, commits=False)
    assert len(files_of(ada, settings)) == 1
    assert (await ada.client.get(EXPORT)).status_code == 202
    for _ in range(2):  # the second one is of a worker that was thought to be dead
        await attempt(job, resources, commits=True)
        assert (await ada.client.get(EXPORT)).status_code == 200
    assert len(files_of(ada, settings)) == 1
    assert await mails_to(ada, owner_connection) == 1


@pytest.mark.parametrize("how", ["erased", "deactivated", "expired and asked again"])
async def test_a_file_that_nobody_wants_any_more_is_removed(
    app: FastAPI,
    resources: Resources,
    settings: Settings,
    owner_connection: Connection,
    how: str,
) -> None:
    ada, superuser = await account(app), await account(app, is_superuser=True)
    job = await asked(ada, owner_connection)
    await attempt(job, resources, commits=False)
    (orphan,) = files_of(ada, settings)
    url = f"/api/v1/users/{ada.user.id}"
    if how == "erased":
        assert (await superuser.client.delete(url)).is_success
    elif how == "deactivated":
        body = {"is_active": False}
        assert (await superuser.client.patch(url, json=body)).is_success
    else:
        expire = "UPDATE data_exports SET expires_at = now() WHERE user_id = $1"
        await owner_connection.execute(expire, ada.user.id)
        assert (await ada.client.get(EXPORT)).status_code == 202
    await attempt(job, resources, commits=True)
    assert not orphan.exists()
    await make_exports(app)
    assert len(files_of(ada, settings)) == (how == "expired and asked again")


async def test_an_account_that_is_reactivated_may_ask_again(
    app: FastAPI, resources: Resources, owner_connection: Connection
) -> None:
    ada = await account(app)
    job = await asked(ada, owner_connection)
    switch = "UPDATE users SET is_active = $2 WHERE id = $1"
    await owner_connection.execute(switch, ada.user.id, False)
    await attempt(job, resources, commits=True)
    await owner_connection.execute(switch, ada.user.id, True)
    assert await asked(ada, owner_connection) != job


async def test_goes_to_the_address_of_the_day(
    app: FastAPI, resources: Resources, owner_connection: Connection
) -> None:
    ada = await account(app)
    job = await asked(ada, owner_connection)
    change = "UPDATE users SET email = 'new-' || email WHERE id = $1"
    await owner_connection.execute(change, ada.user.id)
    await attempt(job, resources, commits=True)
    assert await mails_to(ada, owner_connection) == 0
