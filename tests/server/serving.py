"""A program that serves, for tests that send it signals.

It prints the port, then whatever happens, and ends with ``returned`` or the failure.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

from app.server import runner
from app.server.sockets import bind
from tests.server import apps


def tell_draining() -> None:
    apps.draining.set()
    # In one write: two processes tell it at once.
    os.write(sys.stdout.fileno(), b"draining\n")


def main(options: dict[str, Any], constants: dict[str, float]) -> int:
    for name, value in constants.items():
        setattr(runner, name, value)
    if directory := options.pop("reload_directory", None):
        options["reload_directories"] = [Path(directory)]
    listener = bind("127.0.0.1", 0)
    print(listener.getsockname()[1], flush=True)  # noqa: T201 -- as above
    options.setdefault("app", "tests.server.apps:app")
    try:
        runner.serve(sockets=[listener], on_draining=tell_draining, **options)
    except runner.StartupFailed as failure:
        print(failure, flush=True)  # noqa: T201 -- as above
        return 1
    print("returned", flush=True)  # noqa: T201 -- as above
    return 0


if __name__ == "__main__":
    sys.exit(main(*json.loads(sys.argv[1])))
