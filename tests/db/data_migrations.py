"""Looks for changes of rows in migrations that go past the helper for them."""

import ast
import re
from collections.abc import Iterator

HELPER = "change_rows"

_CHANGE = re.compile(
    r"\bINSERT\s+INTO\b|\bDELETE\s+FROM\b|\bMERGE\s+INTO\b"
    r"|(?<!ON )(?<!DO )\bUPDATE\s+(ONLY\s+)?[\w.\"]+(\s+(AS\s+)?\w+)?\s+SET\b",
    re.IGNORECASE,
)
# What a function does, it does when it is called.
_DEFINITION = re.compile(
    r"\s*CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|TRIGGER)\b", re.IGNORECASE
)
_CONSTRUCTS = {"insert", "update", "delete", "bulk_insert"}


def offences(source: str) -> list[str]:
    """Name the lines of a migration that change rows without `change_rows`."""
    tree = ast.parse(source)
    inside = _inside_the_helper(tree)
    # A statement may stand in a constant, if nothing but the helper gets it.
    names = {n.id for n in inside if isinstance(n, ast.Name)}
    names -= {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name)
        and isinstance(node.ctx, ast.Load)
        and node not in inside
    }
    passed_on = {
        part
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and all(isinstance(t, ast.Name) and t.id in names for t in node.targets)
        for part in ast.walk(node)
    }
    allowed = inside | passed_on | _docstrings(tree)
    return [
        f"line {node.lineno}: {what}"
        for node, what in _changes(tree)
        if node not in allowed
    ]


def _inside_the_helper(tree: ast.Module) -> set[ast.AST]:
    return {
        part
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func).endswith(HELPER)
        for part in ast.walk(call)
    }


def _docstrings(tree: ast.Module) -> set[ast.AST]:
    return {
        statement.value
        for statement in ast.walk(tree)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    }


def _changes(tree: ast.Module) -> Iterator[tuple[ast.expr, str]]:
    parts_of_strings = {
        part
        for string in ast.walk(tree)
        if isinstance(string, ast.JoinedStr)
        for part in string.values
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in _CONSTRUCTS:
                yield node, ast.unparse(node.func)
        elif isinstance(node, ast.Constant | ast.JoinedStr):
            text = _text(node)
            if node not in parts_of_strings and _changes_rows(text):
                yield node, " ".join(text.split())[:60]


def _changes_rows(text: str) -> bool:
    return any(
        _CHANGE.search(statement) and not _DEFINITION.match(statement)
        for statement in _statements(text)
    )


def _statements(text: str) -> list[str]:
    """Take a script apart; the body of a function stays whole."""
    bodies = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
    return bodies.sub(lambda body: body[0].replace(";", " "), text).split(";")


def _text(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    parts = [p.value if isinstance(p, ast.Constant) else "x" for p in node.values]
    return "".join(map(str, parts))
