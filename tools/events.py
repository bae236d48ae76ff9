"""``python -m tools.events`` writes the types of events into ``docs/events.md``."""

from pathlib import Path

from app.events.registry import TYPES

DOCUMENT = Path(__file__).parents[1] / "docs" / "events.md"
BEGIN, END = "<!-- types: python -m tools.events -->", "<!-- end of types -->"


def table() -> str:
    """Write a table of all types, in the order of their modules."""
    lines = ["| type | when | `data` |", "|---|---|---|"]
    for name, one in TYPES.items():
        fields = ", ".join(f"`{field}`" for field in one.data.model_fields)
        lines.append(f"| `{name}` | {one.text} | {fields} |")
    return "\n".join(lines)


def updated(document: str) -> str:
    """Return the document with the table of today."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> None:
    """Run the command."""
    text = DOCUMENT.read_text(encoding="utf-8")
    DOCUMENT.write_text(updated(text), encoding="utf-8")


if __name__ == "__main__":
    main()
