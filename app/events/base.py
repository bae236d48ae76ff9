"""What an event is: a type, and the resource that has changed (CloudEvents 1.0)."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class EventData(BaseModel):
    """The resource as it is after the change. Receivers may rely on each field."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    id: UUID


D = TypeVar("D", bound=EventData)


@dataclass(frozen=True, slots=True)
class Event:
    """One change, to be told to whoever wants to know."""

    type: str
    subject: UUID
    data: dict[str, Any]
    """JSON."""


@dataclass(frozen=True, slots=True)
class EventType(Generic[D]):
    """A kind of change; its name never changes, and its data only grow."""

    name: str
    """As ``member.joined``: what it is about, and what has become of it."""
    data: type[D]
    text: str
    """When it happens, for the documents."""

    def of(self, row: object) -> Event:
        data = self.data.model_validate(row)
        return Event(self.name, data.id, data.model_dump(mode="json"))
