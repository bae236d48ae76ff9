"""All types of events by their names, which `docs/events.md` lists."""

from collections.abc import Mapping
from typing import Any

from app.events import organizations
from app.events.base import EventType

_MODULES = (organizations,)

TYPES: Mapping[str, EventType[Any]] = {
    found.name: found
    for module in _MODULES
    for found in vars(module).values()
    if isinstance(found, EventType)
}
