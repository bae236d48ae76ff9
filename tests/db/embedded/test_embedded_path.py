"""Homes with names that sockets, shells and URLs find hard."""

import asyncio

import asyncpg
import pytest

from tests.db.embedded.conftest import Hold, MakeHome, embedded, psql, server_pid


async def select_user(url: str) -> object:
    connection = await asyncpg.connect(url)
    user: object = await connection.fetchval("SELECT current_user")
    await connection.close()
    return user


class TestPath:
    @pytest.mark.parametrize(
        "name",
        [
            "with space, comma and 'quotes' \"both\" $HOME `x` \\ %41 ü?&#:@",
            "far/" + 60 * "a" + "/" + 60 * "b",
        ],
        ids=["odd", "long"],
    )
    def test_any_folder_serves(
        self, make_home: MakeHome, hold: Hold, name: str
    ) -> None:
        home = make_home(name)
        with embedded(home) as postgres:
            assert asyncio.run(select_user(postgres.app_url)) == "zenith_app"
            # psql is a child of this process, as a worker of the server is.
            assert psql(postgres, postgres.app_url, "SELECT 1") == "1"
            other = hold(home)
            assert other.stdout is not None
            assert "zenith_app" in other.stdout.readline()
            other.communicate()
            assert other.returncode == 0
        assert server_pid(home) is None
