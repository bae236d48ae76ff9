"""The README keeps its word: what it prints is what happens."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.processes import Running, new_home

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
PORT = ":8000"
PASSWORD = re.compile(r"(?<=Password)\s+\S+")

TOUR_SECONDS = 60


def block(mark: str) -> str:
    """Return the fenced block that follows a comment."""
    _, found, rest = README.partition(f"<!-- {mark} -->\n```")
    assert found
    return rest.partition("\n")[2].partition("```")[0]


def words(text: str) -> list[str]:
    """Return what a person reads: no frame, and no password of the moment."""
    return re.sub("[─-╿]", " ", PASSWORD.sub(" ...", text)).split()


def take(tour: str, folder: Path) -> list[Any]:
    """Run the tour as a reader does; return what each step answered."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", tour],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TOUR_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.may_block
def test_the_tour_shows_what_it_says() -> None:
    with new_home() as folder, Running("up", home=folder) as server:
        server.ready()
        port = f":{server.url().rpartition(':')[2]}"
        answers = take(block("tour").replace(PORT, port), folder)
        shown = server.output
        assert server.stop(signal.SIGINT) == 0
        registered, read, changed, problem, ready = answers
        assert registered["email"] == "ada@example.com"
        assert read == registered
        assert changed["full_name"] == "Ada Lovelace"
        assert changed["id"] == registered["id"]
        assert problem["status"] == 422
        assert problem["errors"][0]["pointer"] == "/body/full_name"
        assert ready["status"] == "ready"
        assert server.output.endswith("Stopping ...\nStopped.\n")

    promised = block("box").replace("/home/you/zenith/.zenith", str(folder / "state"))
    promised = promised.replace(PORT, port)
    assert words(shown)[: len(words(promised))] == words(promised)


@pytest.mark.parametrize("command", ["zenith up", "pytest"])
def test_a_command_stands_at_the_top(command: str) -> None:
    top = README.partition("\n## ")[0].splitlines()
    assert f"pip install uv && uv run {command}" in top
