"""Everything that is logged, while a test looks."""

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import structlog

from app.telemetry.logs import configure_logging

Style = Literal["console", "json"]


@contextlib.contextmanager
def captured_logs(style: Style, *, level: str = "DEBUG") -> Iterator[io.StringIO]:
    """Send all events into a text; an application made meanwhile logs there."""
    root, config = logging.getLogger(), structlog.get_config()
    handlers, before = root.handlers, root.level
    output = io.StringIO()
    configure_logging(style=style, level=level, output=output)
    try:
        yield output
    finally:
        structlog.configure(**config)
        root.handlers = handlers
        root.setLevel(before)


def events(output: io.StringIO) -> list[dict[str, Any]]:
    """Read the JSON style: each line is one event."""
    return [json.loads(line) for line in output.getvalue().splitlines()]


def requests(output: io.StringIO) -> list[dict[str, Any]]:
    """Return the access log's events."""
    return [event for event in events(output) if event["event"] == "request"]
