"""What the tests of the command share: homes with a schema, and forks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.forks import Forks
from tests.conftest import HOME
from tests.homes import copied, made_once
from tests.processes import new_home, run


@pytest.fixture(scope="session")
def forks() -> Iterator[Forks]:
    """Run commands without the wait for what they import.

    One test of each command starts it as a shell does.
    """
    with Forks() as forks:
        yield forks


@pytest.fixture(scope="session")
def migrated_state(pytestconfig: pytest.Config) -> Path:
    """Keep what a first ``zenith migrate`` leaves, to be copied."""

    def make(state: Path) -> None:
        with new_home() as folder:
            assert run("migrate", home=folder).returncode == 0
            shutil.move(folder / "state", state)

    return made_once(pytestconfig.stash[HOME], "migrated", make)


@pytest.fixture
def migrated_home(migrated_state: Path) -> Iterator[Path]:
    with copied(migrated_state) as folder:
        yield folder
