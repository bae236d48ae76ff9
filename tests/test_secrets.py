"""No secret of a whole run is found in what the run leaves behind."""

import contextlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import get_args
from urllib.parse import quote, quote_plus, urlsplit

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient, Response
from pydantic import SecretStr

from app.db.connections import Connection, connect
from app.db.embedded import EmbeddedPostgres
from app.security.api_keys import ApiKeys
from app.security.secret_key import derive
from app.web.routing import Router
from tests.conftest import client_of, running, settings_for
from tests.contract.forgeries import Forger, encode, forgeries
from tests.databases import Database, Databases
from tests.factories.users import registration
from tests.telemetry.captured import Style, captured_logs

SECRET_KEY = "the-key-of-this-installation-0123456789"
DATABASE_PASSWORD = "the-password-of-the-database"
METRICS_TOKEN = "the-token-of-the-metrics"
PASSWORDS = {
    "right": "the right password of somebody",
    "wrong": "the wrong password of somebody",
    "short": "s3cret!",
    "weak": "iloveyou123",
    "long": "far too long a password " * 20,
    "of a form": "a password & more = 100%",
    "not text": 90817263544,
}
ORGANIZATIONS = "/api/v1/organizations"
REGISTER, TOKEN, ME = "/api/v1/auth/register", "/api/v1/auth/token", "/api/v1/users/me"
CHANGE = "/api/v1/auth/change-password"


@dataclass
class Run:
    """What a run has left behind, and what must not be in it."""

    logs: io.StringIO
    metrics: str = ""
    answers: list[Response] = field(default_factory=list)
    secrets: set[str] = field(default_factory=set)

    def refused(self, response: Response, status: int) -> None:
        assert response.status_code == status, response.text
        self.answers.append(response)

    def told(self) -> dict[str, str]:
        """Return everything that was told to anybody but the owner of a secret."""
        errors = [
            "\n".join([answer.text, *map(str, answer.headers.multi_items())])
            for answer in self.answers
        ]
        return {
            "logs": self.logs.getvalue(),
            "metrics": self.metrics,
            "answers": "\n".join(errors),
        }


@contextlib.asynccontextmanager
async def application(
    database: Database, home: Path
) -> AsyncIterator[tuple[FastAPI, AsyncClient]]:
    url = urlsplit(database.app_url)
    user = url.netloc.partition("@")[0].partition(":")[0]
    netloc = f"{user}:{DATABASE_PASSWORD}@{url.netloc.rpartition('@')[2]}"
    settings = settings_for(
        DATABASE_URL=SecretStr(url._replace(netloc=netloc).geturl()),
        SECRET_KEY=SecretStr(SECRET_KEY),
        METRICS_TOKEN=SecretStr(METRICS_TOKEN),
        ZENITH_HOME=home,
        DB_POOL_SIZE=2,
    )
    async with running(settings) as app, client_of(app) as client:
        router = Router(include_in_schema=False)

        @router.post("/broken")
        async def break_down(new: dict[str, str]) -> None:
            assert new["password"]
            raise RuntimeError("a fault of ours")

        app.include_router(router)
        yield app, client


def grant(email: str, password: str) -> dict[str, str]:
    return {"grant_type": "password", "username": email, "password": password}


async def sign_up_and_in(run: Run, client: AsyncClient) -> str:
    """Sign up and in, rightly and in each wrong way; return a valid token."""
    new = registration(password=PASSWORDS["right"])
    created = await client.post(REGISTER, json=new)
    assert created.status_code == 201
    run.answers.append(created)
    run.refused(await client.post(REGISTER, json=new), 409)
    for password in (PASSWORDS[name] for name in ("short", "weak", "long", "not text")):
        body = registration(password=password)
        run.refused(await client.post(REGISTER, json=body), 422)
    for missing in ("email", "full_name"):
        body = {key: value for key, value in new.items() if key != missing}
        run.refused(await client.post(REGISTER, json=body), 422)
    run.refused(await client.post(REGISTER, json={**new, "role": new["password"]}), 422)
    run.refused(await client.post(REGISTER, json=[new["password"]]), 422)
    broken = f'{{"password": "{new["password"]}"'
    headers = {"Content-Type": "application/json"}
    run.refused(await client.post(REGISTER, content=broken, headers=headers), 400)
    for name in ("wrong", "of a form"):
        form = grant(new["email"], str(PASSWORDS[name]))
        run.refused(await client.post(TOKEN, data=form), 400)
    swapped = grant(str(PASSWORDS["wrong"]), new["email"])
    run.refused(await client.post(TOKEN, data=swapped), 400)
    form = grant(new["email"], new["password"])
    run.refused(await client.post(TOKEN, data={**form, "grant_type": "x"}), 400)
    run.refused(await client.post(TOKEN, json=form), 400)
    await use_refresh_tokens(run, client, form)
    answer = await client.post(TOKEN, data=form)
    run.secrets.add(answer.json()["refresh_token"])
    token: str = answer.json()["access_token"]
    return token


async def use_refresh_tokens(
    run: Run, client: AsyncClient, form: dict[str, str]
) -> None:
    """Refresh, then present what was exchanged before, as a thief would."""
    given = (await client.post(TOKEN, data=form)).json()["refresh_token"]
    stolen = {"grant_type": "refresh_token", "refresh_token": given}
    for _ in range(3):
        again = {"grant_type": "refresh_token", "refresh_token": given}
        run.secrets.add(given)
        given = (await client.post(TOKEN, data=again)).json()["refresh_token"]
    run.secrets.add(given)
    run.refused(await client.post(TOKEN, data=stolen), 400)
    broken = {**stolen, "refresh_token": f"{given[:-1]}!"}
    run.refused(await client.post(TOKEN, data=broken), 400)


async def use_tokens(run: Run, app: FastAPI, client: AsyncClient, token: str) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    run.answers.append(await client.get(ME, headers=bearer))
    wrong = {"current_password": PASSWORDS["wrong"], "new_password": PASSWORDS["right"]}
    answer = await client.post(CHANGE, json=wrong, headers=bearer)
    run.refused(answer, 400)
    run.secrets.update([token, token.rpartition(".")[2]])
    for _, forged in forgeries(Forger(app.state.resources, token)):
        headers = {"Authorization": f"Bearer {forged}"}
        run.refused(await client.get(ME, headers=headers), 401)
        if len(forged) > 40 and not set(forged) <= set("."):
            run.secrets.add(forged)
    headers = {"Authorization": f"Basic {token}", "X-Request-ID": token}
    run.refused(await client.get(ME, headers=headers), 401)


async def use_keys(run: Run, client: AsyncClient, token: str) -> str:
    """Make an API key, and send it rightly and in each wrong way; return it."""
    bearer = {"Authorization": f"Bearer {token}"}
    made = await client.post(ORGANIZATIONS, json={"name": "Ours"}, headers=bearer)
    path = made.headers["location"]
    new = {"name": "Robot", "scopes": ["organization:read"]}
    answer = await client.post(f"{path}/api-keys", json=new, headers=bearer)
    key: str = answer.json()["key"]
    mistyped, unknown = f"{key[:-1]}!", ApiKeys([b"another's"]).make().text
    run.secrets.update([key, key[4:], mistyped, unknown])
    for known_as in (key, mistyped, unknown):
        wrong = {"Authorization": f"Bearer {known_as}"}
        run.refused(await client.get(path, headers=wrong), 401)
        both = {"X-API-Key": known_as, **bearer}
        run.refused(await client.get(path, headers=both), 400)
        body = {**new, "scopes": [known_as]}
        answer = await client.post(f"{path}/api-keys", json=body, headers=bearer)
        run.refused(answer, 422)
    for no_key in (mistyped, unknown):
        run.refused(await client.get(path, headers={"X-API-Key": no_key}), 401)
    own = {"X-API-Key": key}
    run.refused(await client.get(path, headers=own), 200)
    run.refused(await client.get(f"{path}/members", headers=own), 403)
    run.refused(await client.get(f"{path}/api-keys", headers=bearer), 200)
    run.refused(await client.get(ME, headers=own), 403)
    return key


async def provoke_faults(run: Run, client: AsyncClient, owner: Connection) -> None:
    new = registration(password=PASSWORDS["right"])
    run.refused(await client.post("/broken", json=new), 500)
    await owner.execute("ALTER TABLE users RENAME COLUMN full_name TO name_of_old")
    run.refused(await client.post(REGISTER, json=new), 500)
    await owner.execute("ALTER TABLE users RENAME TO gone")
    run.refused(await client.post(TOKEN, data=grant(new["email"], "x" * 30)), 500)


async def close_to_all(superuser: Connection, database: str) -> None:
    await superuser.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false")
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    await superuser.execute(end, database)


async def look_at_metrics(run: Run, client: AsyncClient) -> None:
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    run.metrics = answer.text
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}x"}
    run.refused(await client.get("/metrics", headers=headers), 401)


def spellings(secret: str) -> set[str]:
    """Return a secret as it is, and as it may stand in a URL, a form or JSON."""
    escaped = secret.encode("unicode_escape").decode()
    return {secret, quote(secret), quote_plus(secret), escaped}


@pytest.fixture(params=get_args(Style))
async def run(
    request: pytest.FixtureRequest,
    postgres: EmbeddedPostgres,
    databases: Databases,
    tmp_path: Path,
) -> Run:
    with captured_logs(request.param) as logs:
        run = Run(logs)
        async with databases.fresh() as database:
            owner = await connect(database.owner_url)
            superuser = await connect(postgres.superuser_url)
            async with application(database, tmp_path) as (app, client):
                token = await sign_up_and_in(run, client)
                await use_tokens(run, app, client, token)
                key = await use_keys(run, client, token)
                run.secrets.update(
                    map(bytes.hex, app.state.resources.api_keys.hashes(key))
                )
                hashes = await owner.fetch("SELECT password_hash FROM users")
                run.secrets.update(row["password_hash"] for row in hashes)
                await provoke_faults(run, client, owner)
                await close_to_all(superuser, database.name)
                run.refused(await client.post(REGISTER, json=registration()), 503)
                run.refused(await client.get("/health/ready"), 503)
                await look_at_metrics(run, client)
            owner.terminate()
            await superuser.close()
    derived = derive(SECRET_KEY.encode(), "access-token")
    run.secrets.update([SECRET_KEY, DATABASE_PASSWORD, METRICS_TOKEN])
    run.secrets.add("$argon2id$")  # whichever password's hash it begins
    run.secrets.update([derived.hex(), encode(derived), repr(derived)[2:-1]])
    run.secrets.update(map(str, PASSWORDS.values()))
    return run


class TestSecrets:
    async def test_none_is_in_logs_metrics_or_errors(self, run: Run) -> None:
        assert len(run.secrets) > 100
        assert "duration_ms" in run.logs.getvalue()
        assert "a fault of ours" in run.logs.getvalue()
        assert "used twice; its session is ended" in run.logs.getvalue()
        assert "http_requests_total" in run.metrics
        found = [
            f"{secret[:60]!r} is in the {place}"
            for place, text in run.told().items()
            for secret in run.secrets
            if any(spelling in text for spelling in spellings(secret))
        ]
        assert found == []
