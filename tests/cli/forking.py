"""The process that commands are forks of.

Of Zenith nothing is loaded before the fork, so that a command finds what it imports
as it would from a shell.
"""

import gc
import importlib
import json
import os
import sys
from pathlib import Path

# Without the client of Prometheus, which asks the environment when it is imported.
LIBRARIES = (
    "alembic.command",
    "argon2",
    "asyncpg",
    "email_validator",
    "fastapi",
    "jinja2",
    "joserfc.jwk",
    "joserfc.jwt",
    "limits.aio.storage",
    "pgqueuer",
    "pydantic_settings",
    "rich.table",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.ext.asyncio",
    "structlog",
    "typer",
    "uvicorn",
)
STREAMS = ("stdin", "stdout", "stderr")


def serve() -> None:
    """Fork for each request, and answer with the exit code."""
    gc.disable()
    for library in LIBRARIES:
        importlib.import_module(library)
    assert not {"app", "prometheus_client"} & sys.modules.keys()
    gc.freeze()  # a collection would look at all of them
    # The streams of the same numbers are the command's.
    with os.fdopen(os.dup(0)) as requests, os.fdopen(os.dup(1), "w") as answers:
        while request := requests.readline():
            child = os.fork()
            if not child:
                break
            _, status = os.waitpid(child, 0)
            answers.write(f"{os.waitstatus_to_exitcode(status)}\n")
            answers.flush()
    if request:
        _run(**json.loads(request))


def _run(
    *, arguments: list[str], environment: dict[str, str], home: str, streams: str
) -> None:
    for number, stream in enumerate(STREAMS):
        mode = os.O_WRONLY | os.O_CREAT if number else os.O_RDONLY
        descriptor = os.open(Path(streams, stream), mode)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(home)
    gc.enable()
    sys.argv = ["-c", *arguments]
    main = importlib.import_module("app.cli").main
    main()
