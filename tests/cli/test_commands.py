"""The other commands of ``zenith``."""

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from app.mail.samples import SAMPLES
from tests.cli.forks import Forks
from tests.databases import Databases
from tests.factories.users import PASSWORD, new_email, registration
from tests.homes import copied
from tests.processes import Running, run

REGISTER = "/api/v1/auth/register"
# PostgreSQL cannot end in order then, and is waited for after our own end.
SOONER = """
from signal import SIGINT, SIGQUIT
from app.db.embedded import server
server._STOP_SIGNALS = ((SIGINT, 0.5), (SIGQUIT, 10))
"""
SECRET = "a secret key of more than thirty-two bytes"


@pytest.fixture(scope="module")
def home(migrated_state: Path) -> Iterator[Path]:
    """One home for all tests here, with a schema."""
    with copied(migrated_state) as folder:
        yield folder


@pytest.fixture(scope="class")
def several(home: Path) -> Iterator[Running]:
    """Serve from two processes, also after a test has killed them."""
    with Running("serve", "--workers", "2", home=home) as server:
        yield server
        assert server.stop() == 0


class TestServe:
    def test_serves_from_several_processes_and_counts_for_all(
        self, several: Running
    ) -> None:
        client = several.ready()
        assert client.post(REGISTER, json=registration()).status_code == 201
        for _ in range(10):
            client.get("/health")
        assert count_of(client.get("/metrics").text, "/health") >= 10

    def test_a_killed_worker_is_replaced(self, several: Running) -> None:
        several.ready()
        workers = psutil.Process(several.process.pid).children()
        killed = [w for w in workers if "spawn_main" in " ".join(w.cmdline())]
        assert len(killed) == 2
        for worker in killed:
            worker.kill()
        psutil.wait_procs(killed)
        client = several.ready()
        assert client.get("/metrics").status_code == 200, several.output

    def test_starts_without_its_database_and_says_so(self, home: Path) -> None:
        nowhere = "postgresql://app:hidden-password@127.0.0.1:9/zenith"
        with Running("serve", home=home, DATABASE_URL=nowhere) as server:
            server.wait_for("the database does not answer")
            url = server.listening()
            assert "hidden-password" not in server.output
            ready = url.get("/health/ready")
            assert ready.status_code == 503
            assert ready.json()["checks"]["database"] == "down"
            assert url.get("/health/live").status_code == 200
            assert server.stop() == 0

    def test_refuses_production_without_a_secret(
        self, home: Path, forks: Forks
    ) -> None:
        result = forks.run("serve", home=home, ENVIRONMENT="production")
        assert result.returncode == 2
        assert result.stderr.startswith("zenith: SECRET_KEY: needed in production")

    def test_production_logs_json_and_hides_metrics(self, home: Path) -> None:
        settings = {"ENVIRONMENT": "production", "SECRET_KEY": SECRET}
        with Running("serve", home=home, **settings) as server:
            client = server.ready()
            response = client.get("/metrics")
            assert response.status_code == 404
            assert "strict-transport-security" in response.headers
            assert server.stop(signal.SIGINT) == 0
        events = [line for line in server.output.splitlines() if line.startswith("{")]
        assert any(json.loads(line)["event"] == "request" for line in events)


def count_of(metrics: str, route: str) -> float:
    """Add up the requests to a route."""
    prefix, mark = "http_requests_total{", f'route="{route}"'
    lines = [x for x in metrics.splitlines() if x.startswith(prefix) and mark in x]
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines)


class TestMigrate:
    def test_check_tells_by_its_exit_code(
        self, home: Path, initialised_home: Path, forks: Forks
    ) -> None:
        result = forks.run("migrate", "--check", home=home)
        assert result.returncode == 0
        with copied(initialised_home) as fresh:
            result = forks.run("migrate", "--check", home=fresh)
            assert result.returncode == 1
            assert "nothing" in result.stdout

    def test_a_database_that_is_away_is_one_clear_line(
        self, home: Path, forks: Forks
    ) -> None:
        nowhere = "postgresql://app:hidden-password@127.0.0.1:9/zenith"
        result = forks.run("migrate", home=home, DATABASE_URL=nowhere)
        assert result.returncode == 2
        assert result.stderr == "zenith: The database does not answer now.\n"


class TestUserCreate:
    def test_prints_a_generated_password_once(self, home: Path) -> None:
        email = new_email()
        result = run("user", "create", email, "--superuser", home=home)
        assert result.returncode == 0
        assert f"Created the superuser {email}." in result.stdout
        assert len(result.stdout.partition("Password: ")[2].strip()) >= 20

    def test_takes_a_password_from_stdin_and_never_shows_it(
        self, home: Path, forks: Forks
    ) -> None:
        email = new_email()
        result = forks.run(
            "user", "create", email, "--password-stdin", home=home, given=PASSWORD
        )
        assert result.returncode == 0
        assert PASSWORD not in result.stdout

    def test_a_taken_address_is_one_clear_line(self, home: Path, forks: Forks) -> None:
        email = new_email()
        forks.run("user", "create", email, home=home)
        result = forks.run("user", "create", email.upper(), home=home)
        assert result.returncode == 2
        expected = "zenith: Another account has this e-mail address.\n"
        assert result.stderr == expected

    @pytest.mark.parametrize(
        ("email", "password", "complaint"),
        [
            ("nobody", PASSWORD, "email: Not a valid e-mail address"),
            ("a@example.com", "short", "password: A password has 8 to 128 characters"),
            ("b@example.com", "password123", "one of the most common ones"),
        ],
    )
    def test_judges_as_strictly_as_the_api(
        self, home: Path, forks: Forks, email: str, password: str, complaint: str
    ) -> None:
        result = forks.run(
            "user", "create", email, "--password-stdin", home=home, given=password
        )
        assert result.returncode == 2
        assert complaint in result.stderr
        assert "Traceback" not in result.stderr


class TestOpenAPI:
    def test_prints_the_document(self, home: Path) -> None:
        result = run("openapi", home=home)
        assert result.returncode == 0
        assert json.loads(result.stdout)["info"]["title"] == "Zenith API"


class TestMailPreview:
    def test_writes_every_mail_and_a_page_of_them(self, tmp_path: Path) -> None:
        result = run("mail", "preview", home=tmp_path, PROJECT_NAME="<Zoë>")
        assert result.returncode == 0
        index = Path(result.stdout.strip())
        assert index.is_relative_to(tmp_path)
        page = index.read_text(encoding="utf-8")
        assert "&lt;Zoë&gt;" in page
        assert "<Zoë>" not in page
        for sample in SAMPLES:
            assert f'src="{sample.kind}.html"' in page
            html = index.with_name(f"{sample.kind}.html").read_text(encoding="utf-8")
            assert "Ada Lovelace" in html
            text = index.with_name(f"{sample.kind}.txt").read_text(encoding="utf-8")
            assert text.startswith("Hello")

    def test_writes_where_it_is_told_to(self, tmp_path: Path, forks: Forks) -> None:
        folder = tmp_path / "one" / "two"
        result = forks.run("mail", "preview", "--to", str(folder), home=tmp_path)
        assert result.stdout == f"{folder}/index.html\n"
        assert (folder / "index.html").is_file()


class TestFailures:
    def test_a_missing_schema_names_the_command(
        self, initialised_home: Path, forks: Forks
    ) -> None:
        with copied(initialised_home) as fresh:
            result = forks.run("user", "create", new_email(), home=fresh)
        assert result.returncode == 2
        expected = "zenith: The schema is missing or old: run `zenith migrate`.\n"
        assert result.stderr == expected

    def test_a_role_without_rights_names_the_setting(
        self, databases: Databases, home: Path, forks: Forks
    ) -> None:
        async def migrate_as_the_app() -> subprocess.CompletedProcess[str]:
            async with databases.fresh(migrated=False) as database:
                return forks.run("migrate", home=home, DATABASE_URL=database.app_url)

        result = asyncio.run(migrate_as_the_app())
        assert result.returncode == 2
        assert "set DATABASE_ADMIN_URL to the owner's" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_a_missing_key_file_is_named(self, home: Path, forks: Forks) -> None:
        settings = {"ALGORITHM": "ES256", "JWT_PRIVATE_KEY_FILE": "/missing.pem"}
        result = forks.run("serve", "--port", "0", home=home, **settings)
        assert result.returncode == 2
        assert result.stderr.startswith("zenith: JWT_PRIVATE_KEY_FILE: cannot read")

    def test_a_weak_password_of_the_first_superuser_is_named(
        self, migrated_home: Path, forks: Forks
    ) -> None:
        settings = {"FIRST_SUPERUSER_PASSWORD": "password1"}
        result = forks.run("up", "--port", "0", home=migrated_home, **settings)
        assert result.returncode == 2
        assert result.stderr.startswith("zenith: FIRST_SUPERUSER_PASSWORD: ")

    def test_a_database_that_hangs_does_not_hold_up_the_end(
        self, migrated_home: Path
    ) -> None:
        with Running("up", home=migrated_home, prelude=SOONER) as server:
            client = server.ready()
            assert client.post(REGISTER, json=registration()).status_code == 201
            pid_file = migrated_home / "state/postgres/data/postmaster.pid"
            postmaster = psutil.Process(int(pid_file.read_text().split()[0]))
            frozen = [
                child
                for child in postmaster.children()
                if "zenith_app" in " ".join(child.cmdline())
            ]
            assert frozen
            for backend in frozen:
                backend.suspend()
            code = server.stop()
            for backend in psutil.wait_procs(frozen, timeout=0)[1]:
                backend.resume()
            assert code == 0


class TestHelp:
    def test_names_every_command(self, home: Path) -> None:
        result = run("--help", home=home)
        assert result.returncode == 0
        for command in ("up", "serve", "migrate", "user", "mail", "openapi"):
            assert f"\n  {command} " in result.stdout
