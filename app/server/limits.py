"""How long and how large a request may be before it reaches the application."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds."""

    head_seconds: float = 8.0
    """From the connection, or a later request's first byte, to the end of the head."""
    body_pause: float = 8.0
    """Between two parts of a body."""
    body_seconds: float = 30.0
    """All pauses of a body together, beside what ``body_rate`` allows for its size."""
    body_rate: float = 16 * 1024.0
    """Bytes a second that a client must reach when its body is a large one."""
    reader_seconds: float = 30.0
    """Without a byte of a response taken, until its client counts as gone."""
    linger_seconds: float = 2.0
    """For a refused client to read its answer before the connection is cut."""
    head_bytes: int = 32 * 1024
    """Request line and headers; a body's chunk sizes and trailers have as much."""
    target_bytes: int = 8 * 1024
