"""A process that attaches, tells that it did, and leaves when its input ends.

Arguments: the home, then optionally the user id to become.
"""

import os
import sys
from pathlib import Path

from app.db.embedded import EmbeddedPostgres, EmbeddedPostgresError


def become(uid: int) -> None:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


def main() -> None:
    home, *uid = sys.argv[1:]
    if uid:
        become(int(uid[0]))
    try:
        with EmbeddedPostgres(Path(home), settings={"fsync": "off"}) as postgres:
            sys.stdout.write(f"{postgres.app_url}\n")
            sys.stdout.flush()
            sys.stdin.read()
    except EmbeddedPostgresError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
