"""``python -m tests.fuzz``: schemathesis against a running server.

The suite runs its bounded phases; this command the open-ended ones, and prints one
line of JSON: the verdict of the run, with the seed that repeats it.
"""

import argparse
import asyncio
import contextlib
import json
import os
import random
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from app.db.connections import connect
from app.db.embedded import EmbeddedPostgres
from tests.databases import Database, Databases
from tests.factories.users import PASSWORD, registration
from tests.processes import Running

ROOT = Path(__file__).parents[1]
SCHEME = "OAuth2PasswordBearer"
PHASES = ("fuzzing", "stateful")

# What fits the schema may still break a rule that JSON Schema has no words for: a weak
# password (422), the token endpoint's wrong password (400), an ETag of before (412).
CONFIG = """
[auth]
auto-signup = false

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "412", "422"]
"""


@contextlib.contextmanager
def serving(database: Database, folder: Path, **settings: str) -> Iterator[Running]:
    """Run a server of its own on a database and stop it in the end."""
    given = {
        "DATABASE_URL": database.app_url,
        "LOG_FORMAT": "json",
        "RATE_LIMIT_ENABLED": "false",
        **settings,
    }
    with Running("serve", home=folder, **given) as server:
        server.ready()
        yield server


def sign_up(url: str, *, password: str = PASSWORD) -> str:
    """Register a user over HTTP and return their address."""
    new = registration(password=password)
    httpx2.post(f"{url}/api/v1/auth/register", json=new).raise_for_status()
    return str(new["email"])


async def promote(database: Database, email: str) -> None:
    """Make somebody a superuser."""
    owner = await connect(database.owner_url)
    statement = "UPDATE users SET is_superuser = true WHERE email = $1"
    await owner.execute(statement, email)
    await owner.close()


def description(url: str) -> dict[str, Any]:
    """Return the API's own description, in terms that schemathesis knows.

    It leaves OAuth 2 schemes out of its checks of authentication; what they come to is
    a bearer token.
    """
    document: dict[str, Any] = httpx2.get(f"{url}/api/v1/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert schemes[SCHEME]["type"] == "oauth2"
    schemes[SCHEME] = {"type": "http", "scheme": "bearer"}
    return document


@dataclass(frozen=True)
class Run:
    """What schemathesis found; ``report`` is for programs, ``output`` for people."""

    report: dict[str, Any]
    output: str


async def run_schemathesis(database: Database, folder: Path, **options: Any) -> Run:
    """Test every operation of a server with every check that schemathesis has."""
    with serving(database, folder) as server:
        url = server.url()
        # The examples of the API's description do not know it.
        password = secrets.token_urlsafe()
        user, superuser = [sign_up(url, password=password) for _ in range(2)]
        await promote(database, superuser)
        callers = {
            "FUZZ_USER": user,
            "FUZZ_SUPERUSER": superuser,
            "FUZZ_PASSWORD": password,
        }
        return await asyncio.to_thread(_run, url, callers, folder, **options)


def _run(
    url: str,
    callers: dict[str, str],
    folder: Path,
    *,
    phases: Sequence[str],
    seed: int,
    options: Sequence[str],
) -> Run:
    config, report = folder / "schemathesis.toml", folder / "report.json"
    config.write_text(CONFIG)
    schema = folder / "openapi.json"
    schema.write_text(json.dumps(description(url)))
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)]
    arguments = ["run", str(schema), "--url", url, "--checks", "all", "--no-color"]
    arguments += ["--phases", ",".join(phases), "--seed", str(seed)]
    arguments += [
        "--continue-on-failure",
        "--report-dir",
        str(folder),
        "--report-json-path",
        str(report),
    ]
    done = subprocess.run(
        [*command, *arguments, *options],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ
        | {
            "SCHEMATHESIS_HOOKS": "tests.fuzz_hooks",
            "PYTHONPATH": str(ROOT),
            "FUZZ_URL": url,
            **callers,
        },
    )
    if not report.exists():
        raise RuntimeError(done.stdout + done.stderr)
    return Run(json.loads(report.read_text()), done.stdout)


def passed(run: Run) -> bool:
    report = run.report
    skipped = report["operations"]["tested"] < report["operations"]["total"]
    bad = report["failures"] or report["errors"] or report["exit_code"]
    return not (bad or skipped)


def verdict(run: Run) -> dict[str, Any]:
    """Say in one line what the run was and what it found."""
    report = run.report
    return {
        "check": "fuzz",
        "passed": passed(run),
        "seed": report["seed"],
        "seconds": round(report["running_time"]),
        "operations": report["operations"],
        "test_cases": report["test_cases"],
        "phases": {k: v["status"] for k, v in report["phases"].items()},
        "failures": report["failures"],
        "errors": report["errors"],
    }


async def _fuzz(folder: Path, *, seconds: int, seed: int) -> Run:
    with EmbeddedPostgres(folder / "postgres") as postgres:
        async with Databases(postgres, folder).fresh() as database:
            options = ["--max-time", str(seconds)]
            return await run_schemathesis(
                database, folder, phases=PHASES, seed=seed, options=options
            )


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="zenith-fuzz-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        run = asyncio.run(_fuzz(folder, seconds=given.seconds, seed=given.seed))
    if not passed(run):
        sys.stderr.write(run.output)
    sys.stdout.write(json.dumps(verdict(run)) + "\n")
    sys.exit(0 if passed(run) else 1)


if __name__ == "__main__":
    main()
