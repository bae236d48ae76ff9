"""The documents say what is there: their links lead somewhere, their settings exist."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.config import Settings

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
ANCHOR = re.compile(r"[^\w\- ]")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(document: Path) -> set[str]:
    """Name the headings of a document as links to them do."""
    text = re.sub(
        r"```.*?```", "", document.read_text(encoding="utf-8"), flags=re.DOTALL
    )
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {ANCHOR.sub("", title.lower()).replace(" ", "-") for title in headings}


def default_of(name: str) -> str:
    """Write a setting's default as a file of settings does."""
    value: Any = Settings.model_fields[name].default
    return "" if value is None or value == [] else str(value)


DEFAULTS = {name: default_of(name) for name in Settings.model_fields}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in LINK.findall(document.read_text(encoding="utf-8")):
        if link.startswith(("https://", "mailto:")):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_every_document_is_in_the_index() -> None:
    docs = ROOT / "docs"
    index = (docs / "README.md").read_text(encoding="utf-8")
    linked = {(docs / link).resolve() for link in LINK.findall(index)}
    assert {path for path in docs.rglob("*.md") if path.name != "README.md"} <= linked


def test_the_example_file_has_every_setting_and_its_default() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert dict(re.findall(r"^# ([A-Z][A-Z0-9_]+)=(.*)$", text, re.MULTILINE)) == (
        DEFAULTS
    )
    assert not re.findall(r"^[^#\n]", text, re.MULTILINE)


def test_the_manual_has_every_setting_and_its_default() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \| (?:`(.*?)` )?\|", text, re.MULTILINE)
    assert dict(rows) == DEFAULTS
