"""Pins every package that Zenith stands on, the transitive ones too.

``uv run python -m tools.pin`` resolves the newest versions that the ranges of
``pyproject.toml`` allow and writes them twice: as ``[tool.uv] constraint-dependencies``
there, for everybody who runs ``uv``, and with hashes as ``requirements.lock``, for
images. ``uv.lock`` itself names the address of a package index, which differs behind
mirrors, and stays out of git.
"""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYPROJECT = ROOT / "pyproject.toml"
REQUIREMENTS = ROOT / "requirements.lock"

HEADER = "# Written by `python -m tools.pin`: what the application needs.\n"
BEGIN, END = "constraint-dependencies = [\n", "]\n"

_PIN = re.compile(
    r"^(?P<name>[a-z0-9][a-z0-9._-]*)==(?P<version>[^\s;\\]+)", re.MULTILINE
)


def pins(requirements: str) -> dict[str, str]:
    """Read names and versions out of a requirements file."""
    return {m["name"]: m["version"] for m in _PIN.finditer(requirements)}


def constraints(pyproject: str) -> dict[str, str]:
    """Read the pins out of ``pyproject.toml``."""
    _, _, rest = pyproject.partition(BEGIN)
    block, _, _ = rest.partition(END)
    return pins(re.sub(r'^\s*"|",?$', "", block, flags=re.MULTILINE))


def with_constraints(pyproject: str, pinned: dict[str, str]) -> str:
    """Return ``pyproject.toml`` with other pins."""
    before, _, rest = pyproject.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = (f'  "{name}=={version}",\n' for name, version in sorted(pinned.items()))
    return "".join([before, BEGIN, *lines, END, after])


def export(*options: str) -> str:
    """Write the resolution as requirements, without any address."""
    command = ["uv", "export", "--no-header", "--no-annotate", "--no-emit-project"]
    result = subprocess.run(  # noqa: S603 - a fixed command
        [*command, *options], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return result.stdout


def main() -> None:
    PYPROJECT.write_text(with_constraints(PYPROJECT.read_text(), {}))
    (ROOT / "uv.lock").unlink(missing_ok=True)
    everything = pins(export("--all-groups", "--all-extras", "--no-hashes"))
    PYPROJECT.write_text(with_constraints(PYPROJECT.read_text(), everything))
    REQUIREMENTS.write_text(HEADER + export("--no-dev", "--all-extras"))
    print(f"Pinned {len(everything)} packages.")


if __name__ == "__main__":
    main()
