"""What one process has acknowledged, every other one knows at once."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from app.db.connections import connect
from tests.databases import Databases
from tests.factories.users import PASSWORD, registration
from tests.fuzz import serving

ROUNDS = 10
SLOW_COMMIT = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT OR UPDATE ON users
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
USERS = "/api/v1/users"


async def sign_up(writer: httpx2.AsyncClient) -> tuple[str, dict[str, str]]:
    """Register somebody; return where they are and the header that lets them in."""
    new = registration()
    created = await writer.post("/api/v1/auth/register", json=new)
    assert created.status_code == 201
    form = {"grant_type": "password", "username": new["email"], "password": PASSWORD}
    token = await writer.post("/api/v1/auth/token", data=form)
    assert token.status_code == 200
    bearer = {"Authorization": f"Bearer {token.json()['access_token']}"}
    return created.headers["location"], bearer


async def write_and_read(
    writer: httpx2.AsyncClient, reader: httpx2.AsyncClient, number: int
) -> None:
    location, bearer = await sign_up(writer)
    found = await reader.get(location, headers=bearer)
    assert found.status_code == 200, found.text
    patch = {"full_name": f"Renamed {number}"}
    changed = await writer.patch(f"{USERS}/me", json=patch, headers=bearer)
    again = await reader.get(location, headers=bearer)
    assert again.json() == changed.json()
    assert again.json()["full_name"] == patch["full_name"]


@pytest.mark.may_block
async def test_another_process_never_answers_404_or_what_was_before(
    databases: Databases, tmp_path: Path
) -> None:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    secret = {"SECRET_KEY": "one secret of both, of 32 bytes and more"}
    async with databases.fresh() as database:
        owner = await connect(database.owner_url)
        await owner.execute(SLOW_COMMIT)  # an answer that does not wait for it is seen
        await owner.close()
        with (
            serving(database, folders[0], **secret) as one,
            serving(database, folders[1], **secret) as two,
        ):
            async with (
                httpx2.AsyncClient(base_url=one.url()) as first,
                httpx2.AsyncClient(base_url=two.url()) as second,
            ):
                await asyncio.gather(
                    *(write_and_read(first, second, n) for n in range(ROUNDS)),
                    *(write_and_read(second, first, n) for n in range(ROUNDS)),
                )
