"""The types of events: all are known, and the document tells of each."""

import importlib
import pkgutil
import re

import app.events
from app.events import EventType
from app.events.registry import TYPES
from app.models.changes import TARGET_TYPE_MAX, TYPE_MAX
from tools.events import DOCUMENT, updated


def test_every_type_is_registered_under_a_name_of_its_own() -> None:
    modules = [
        importlib.import_module(f"app.events.{module.name}")
        for module in pkgutil.iter_modules(app.events.__path__)
    ]
    found = {
        id(value): value
        for module in modules
        for value in vars(module).values()
        if isinstance(value, EventType)
    }
    assert len(found) >= 13
    assert sorted(one.name for one in found.values()) == sorted(TYPES)


def test_each_has_a_name_of_one_form_and_a_text() -> None:
    for name, one in TYPES.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", name)
        assert len(name) <= TYPE_MAX
        assert len(name.partition(".")[0]) <= TARGET_TYPE_MAX
        assert one.text.endswith("."), name


def test_no_event_holds_a_secret() -> None:
    for one in TYPES.values():
        for field in one.data.model_fields:
            assert not re.search("hash|token|secret|password|key$", field), field


def test_the_document_is_of_today() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert text == updated(text), "Run: python -m tools.events"
