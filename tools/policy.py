"""Renders the policy as the tables of a document.

``uv run python -m tools.policy`` writes them into ``docs/authorization.md``; a test
compares, so that no right changes without being seen in a review.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from app.policy import GRANTS, OPERATIONS, Permission, Role, Rule, Who

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "authorization.md"
OPENAPI = ROOT / "openapi.json"

_MARKS = re.compile(r"(<!-- (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
YES, NO = "yes", "-"


def roles() -> Iterator[str]:
    """Write the permissions of each role."""
    yield f"| permission | {' | '.join(Role)} |"
    yield f"|---|{'---|' * len(Role)}"
    for permission in Permission:
        cells = (YES if permission in GRANTS[role] else NO for role in Role)
        yield f"| `{permission}` | {' | '.join(cells)} |"


def operations() -> Iterator[str]:
    """Write who may carry out each operation."""
    yield "| operation | request | for |"
    yield "|---|---|---|"
    for id_, request in requests():
        yield f"| `{id_}` | `{request}` | {_text(OPERATIONS[id_])} |"


def requests() -> Iterator[tuple[str, str]]:
    """Yield the id, and the method and path, of each operation."""
    for path, item in json.loads(OPENAPI.read_text())["paths"].items():
        for method, operation in item.items():
            yield operation["operationId"], f"{method.upper()} {path}"


def rendered(document: str) -> str:
    """Return a document with the tables of now between its marks."""
    tables = {"roles": roles, "operations": operations}

    def fill(found: re.Match[str]) -> str:
        lines = "\n".join(tables[found[2]]())
        return f"{found[1]}\n{lines}\n\n{found[3]}"

    return _MARKS.sub(fill, document)


def _text(rule: Rule) -> str:
    if isinstance(rule, Who):
        return rule
    text = f"`{rule.permission}`"
    if rule.or_oneself:
        text += ", or about oneself"
    if not rule.keys:
        text += "; no key"
    if not rule.impersonators:
        text += "; nobody who acts as the user"
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text()))
