"""Structured logs: one event a line, whoever logs it."""

import logging
import sys
from contextvars import ContextVar
from typing import Any, Literal, TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The request that is served now; every event that happens meanwhile names it."""

QUIET = ("asyncio", "uvicorn", "alembic", "httpx2")
"""Libraries whose routine messages repeat what Zenith says, or tell URLs of others."""


def configure_logging(
    *, style: Literal["console", "json"], level: str, output: TextIO | None = None
) -> None:
    """Send all events, those of the standard library too, to stdout in one form."""
    output = output or sys.stdout
    shared: list[Processor] = [
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if style == "json"
        else [
            _escape,
            structlog.dev.ConsoleRenderer(colors=output.isatty(), sort_keys=False),
        ]
    )
    structlog.configure(
        processors=[*shared, *renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(output),
        cache_logger_on_first_use=False,
    )
    _take_over_standard_logging(shared, renderer, level, output)


def _take_over_standard_logging(
    shared: list[Processor], renderer: list[Processor], level: str, output: TextIO
) -> None:
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            *renderer,
        ],
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))


def _add_request_id(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    current = request_id.get()
    if current is not None:
        event.setdefault("request_id", current)
    return event


def _escape(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Show control characters as escapes, so that no value forges a line or a colour.

    JSON needs no such step: its strings are escaped, and kept to ASCII.
    """
    return {key: _printable(key, value) for key, value in event.items()}


def _printable(key: str, value: Any) -> Any:
    if not isinstance(value, str) or value.isprintable():
        return value
    if key == "exception":  # set in: a line that it quotes begins no event
        return "\n".join(f"    {_escaped(line)}" for line in value.split("\n"))
    return _escaped(value)


def _escaped(text: str) -> str:
    if text.isprintable():
        return text
    return text.encode("unicode_escape").decode("ascii")
