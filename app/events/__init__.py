"""Events: what integrators are told of changes."""

from app.events.base import Event, EventData, EventType

__all__ = ["Event", "EventData", "EventType"]
