"""Reads the use cases of services: what each writes before it is sure of its actor.

It follows a use case through the private methods of its class, and through branches as
if any could be taken. Whatever may write counts as a write, unless it is known not to.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeAlias

APP = Path(__file__).parents[1] / "app"
REPOSITORIES = sorted((APP / "db" / "repositories").glob("*.py"))
SERVICES = sorted((APP / "services").glob("*.py"))

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

SURE = {"self.actor.confirm", "self.password.lock"}
"""What makes sure of the actor; the second one confirms when it has locked the user."""

HARMLESS = {
    # Locks, which come before in their order.
    "hold",
    "close",
    "lock",
    "lock_member",
    "lock_of",
    "lock_sent",
    # Looks.
    "has",
    "has_expired",
    "row_of",
    "keep_an_owner_besides",
    "keep_a_superuser_besides",
    # Functions that are handed the session.
    "enter",
    "organization_inviting",
}
"""What changes no row, of all that repositories can do."""


@cache
def _writing() -> frozenset[str]:
    """Return the names of what repositories and the queue do to rows."""
    names = {"put"}  # of the queue
    for path in REPOSITORIES:
        for one in classes(path):
            if one.name.endswith("Repository"):
                names |= {m.name for m in one.body if isinstance(m, Function)}
    return frozenset(name for name in names - HARMLESS if name[0] != "_")


@cache
def _with_session() -> frozenset[str]:
    """Return the classes of services that have the session, and so may write by it."""
    return frozenset(
        one.name
        for path in SERVICES
        for one in classes(path)
        if "session" in fields_of(one)
    )


def classes(path: Path) -> Iterator[ast.ClassDef]:
    yield from classes_in(path.read_text())


def classes_in(text: str) -> Iterator[ast.ClassDef]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            yield node


def fields_of(one: ast.ClassDef) -> dict[str, str]:
    """Return the types of a class's fields, as they are written."""
    return {
        ast.unparse(node.target): ast.unparse(node.annotation)
        for node in one.body
        if isinstance(node, ast.AnnAssign)
    }


@dataclass
class UseCase:
    """A public method of a service."""

    service: ast.ClassDef
    body: Function
    written: list[str] = field(default_factory=list)
    unsure: list[str] = field(default_factory=list)
    _returns: list[list[bool]] = field(default_factory=list)
    _within: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.service.name}.{self.body.name}"

    @property
    def is_public(self) -> bool:
        marks = self.body.decorator_list
        return any(ast.unparse(mark).startswith("public(") for mark in marks)

    def followed(self) -> "UseCase":
        """Note all that it writes, and what of that before it is sure of its actor."""
        self._function(self.body, is_sure=False)
        return self

    def _function(self, body: Function, *, is_sure: bool) -> bool:
        if body.name in self._within:
            return is_sure
        self._within.append(body.name)
        self._returns.append([])
        end = self._block(body.body, is_sure=is_sure)
        self._within.pop()
        ends = [*self._returns.pop(), *([] if end is None else [end])]
        return all(ends)  # also where it only raises

    def _block(self, nodes: Iterable[ast.stmt], *, is_sure: bool) -> bool | None:
        """Return whether the actor is sure behind it; None if nothing gets there."""
        for node in nodes:
            after = self._statement(node, is_sure=is_sure)
            if after is None:
                return None
            is_sure = after
        return is_sure

    def _statement(self, node: ast.stmt, *, is_sure: bool) -> bool | None:
        match node:
            case ast.If(test, body, orelse):
                is_sure = self._expression(test, is_sure=is_sure)
                ends = [self._block(one, is_sure=is_sure) for one in (body, orelse)]
                return self._join(*ends)
            case ast.For() | ast.AsyncFor() | ast.While():
                over = node.test if isinstance(node, ast.While) else node.iter
                is_sure = self._expression(over, is_sure=is_sure)
                self._block([*node.body, *node.orelse], is_sure=is_sure)
            case ast.With(items, body) | ast.AsyncWith(items, body):
                for item in items:
                    is_sure = self._expression(item.context_expr, is_sure=is_sure)
                # It may swallow an error, from before what made sure.
                self._block(body, is_sure=is_sure)
            case ast.Try(body, handlers, orelse, finalbody):
                blocks = [[*body, *orelse], *(one.body for one in handlers)]
                end = self._join(*(self._block(one, is_sure=is_sure) for one in blocks))
                after = self._block(finalbody, is_sure=bool(end))
                return None if end is None else after
            case _:
                return self._simple(node, is_sure=is_sure)
        return is_sure

    def _simple(self, node: ast.stmt, *, is_sure: bool) -> bool | None:
        is_sure = self._expression(node, is_sure=is_sure)
        if isinstance(node, ast.Return):
            self._returns[-1].append(is_sure)
        leaves = isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)
        return None if leaves else is_sure

    @staticmethod
    def _join(*ends: bool | None) -> bool | None:
        reached = [end for end in ends if end is not None]
        return all(reached) if reached else None

    def _expression(self, node: ast.AST, *, is_sure: bool) -> bool:
        """Go through the calls in a statement, the inner ones first."""
        match node:
            case ast.IfExp() | ast.BoolOp() | ast.Lambda() | ast.comprehension():
                for child in ast.iter_child_nodes(node):
                    self._expression(child, is_sure=is_sure)
                return is_sure
            case ast.Await(ast.Call(func)) if ast.unparse(func) in SURE:
                return True
            case ast.Call(func, args, keywords):
                for part in (func, *args, *(one.value for one in keywords)):
                    if ast.unparse(part) != "self.session":
                        is_sure = self._expression(part, is_sure=is_sure)
                return self._call(node, is_sure=is_sure)
            case ast.Attribute() if ast.unparse(node) == "self.session":
                # Not handed to what is called here: nobody sees what becomes of it.
                self._write("self.session", is_sure=is_sure)
                return is_sure
            case _:
                for child in ast.iter_child_nodes(node):
                    is_sure = self._expression(child, is_sure=is_sure)
                return is_sure

    def _call(self, call: ast.Call, *, is_sure: bool) -> bool:
        name = ast.unparse(call.func)
        own = {m.name: m for m in self.service.body if isinstance(m, Function)}
        method = name.removeprefix("self.")
        if name != method and method in own:
            return self._function(own[method], is_sure=is_sure)
        if self._may_write(call, name):
            self._write(name, is_sure=is_sure)
        return is_sure

    def _may_write(self, call: ast.Call, name: str) -> bool:
        of, _, method = name.rpartition(".")
        kind = fields_of(self.service).get(of.removeprefix("self."))
        if of.startswith("self.") and kind is not None:
            return kind in _with_session()
        if "." in name:
            return method in _writing()
        handed = "self.session" in map(ast.unparse, call.args)
        makes = name.endswith("Repository") or name == "Queue"
        return handed and not makes and name not in HARMLESS

    def _write(self, name: str, *, is_sure: bool) -> None:
        self.written.append(name)
        if not is_sure:
            self.unsure.append(name)


def use_cases_in(text: str) -> Iterator[UseCase]:
    """Yield the use cases of a module, followed."""
    for one in classes_in(text):
        if one.name.endswith("Service"):
            cases = [m for m in one.body if isinstance(m, ast.AsyncFunctionDef)]
            for method in cases:
                if not method.name.startswith("_"):
                    yield UseCase(one, method).followed()


def without_each(text: str, *names: str) -> Iterator[str]:
    """Yield a module with one call of these names called otherwise, for each call."""
    for found in re.finditer("|".join(re.escape(f"{name}(") for name in names), text):
        yield f"{text[: found.start()]}self.nothing({text[found.end() :]}"
