"""Schemathesis against a running server, with every check it has.

The phases here are bounded and the same in each run; ``python -m tests.fuzz`` runs the
open-ended ones.
"""

from pathlib import Path

import pytest

from tests.databases import Databases
from tests.fuzz import passed, run_schemathesis

pytestmark = pytest.mark.may_block


async def test_every_operation_keeps_to_its_description(
    databases: Databases, tmp_path: Path
) -> None:
    async with databases.fresh() as database:
        run = await run_schemathesis(
            database,
            tmp_path,
            phases=("examples", "coverage"),
            seed=1,
            options=("--generation-deterministic",),
        )
    assert passed(run), run.output
    assert run.report["test_cases"]["generated"] > 100
