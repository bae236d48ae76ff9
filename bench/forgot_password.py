"""Whether an answer's time tells that an address has an account.

``python -m bench.forgot_password`` asks in turns, over a socket, of a server that works
off its own jobs meanwhile: what a stranger can measure from nearby.
"""

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import asyncpg
import httpx2
import uvloop

from app.db.embedded import EmbeddedPostgres
from tests.factories.users import registration
from tests.processes import Running

KINDS = ("known", "unverified", "disabled", "unknown")
PATH = "/api/v1/auth/forgot-password"


def account(client: httpx2.Client) -> str:
    body = registration()
    client.post("/api/v1/auth/register", json=body).raise_for_status()
    return str(body["email"])


async def prepare(url: str, addresses: dict[str, str]) -> None:
    """Verify one account and switch another one off, past the API."""
    connection = await asyncpg.connect(url)
    await connection.execute(
        "UPDATE users SET email_verified_at = now() WHERE email = $1",
        addresses["known"],
    )
    await connection.execute(
        "UPDATE users SET is_active = false WHERE email = $1", addresses["disabled"]
    )
    await connection.close()


def measure(client: httpx2.Client, addresses: dict[str, str], rounds: int) -> None:
    found: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in random.sample(KINDS, len(KINDS)):
            began = time.perf_counter()
            answer = client.post(PATH, json={"email": addresses[kind]})
            found[kind].append((time.perf_counter() - began) * 1000)
            assert answer.status_code == httpx2.codes.ACCEPTED
            assert not answer.content
    print(f"{rounds} each, ms{'median':>16}{'p95':>10}")
    for kind, times in found.items():
        p95 = statistics.quantiles(times, n=20)[18]
        print(f"{kind:20}{statistics.median(times):10.2f}{p95:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=500)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="zenith-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL runs as another user where this one is root
        with EmbeddedPostgres(home / "database") as postgres:
            run(home, postgres, rounds)


def run(home: Path, postgres: EmbeddedPostgres, rounds: int) -> None:
    with Running(
        "up",
        home=home,
        DATABASE_URL=postgres.app_url,
        DATABASE_ADMIN_URL=postgres.owner_url,
        RATE_LIMIT_ENABLED="false",
    ) as server:
        client = server.ready()
        addresses = {kind: account(client) for kind in KINDS[:-1]}
        addresses["unknown"] = str(registration()["email"])
        uvloop.run(prepare(postgres.owner_url, addresses))
        measure(client, addresses, rounds)


if __name__ == "__main__":
    main()
