"""Logs: one event name and fields a line, on stderr; readable on a terminal, else JSON."""

from __future__ import annotations

import io
import logging
import sys
from typing import Any, TextIO

import structlog

from driftline.consumer.cli.terminal import colourful, one_line, printable
from driftline.consumer.config import LogConfig

Log = structlog.stdlib.BoundLogger


def start_logging(config: LogConfig, stream: TextIO | None = None) -> Log:
    """Send all logs, those of libraries too, to `stream` (stderr), and return our logger."""
    stream = sys.stderr if stream is None else stream
    readable = config.format == "text" or (config.format == "auto" and stream.isatty())
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if readable:
        renderer = structlog.dev.ConsoleRenderer(
            colors=colourful(stream),
            exception_formatter=_traceback,
            pad_event_to=20,
        )
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _printable,
    ]
    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not readable:
        last += [_exception, _in_order]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[*last, renderer],
        )
    )
    root = logging.getLogger()
    for known in list(root.handlers):
        root.removeHandler(known)
    root.addHandler(handler)
    root.setLevel(config.level.upper())
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    log: Log = structlog.stdlib.get_logger("driftline")
    return log


def _in_order(logger: object, method: str, event: Any) -> Any:
    """Put what every line has first."""
    first = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    return {**first, **event}


def _printable(logger: object, method: str, event: Any) -> Any:
    """Take control characters out of texts: they may stem from records that others wrote."""
    return {name: _cleaned(value) for name, value in event.items()}


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, list):
        return [_cleaned(part) for part in value]
    if isinstance(value, dict):
        return {_cleaned(key): _cleaned(part) for key, part in value.items()}
    return value


def _exception(logger: object, method: str, event: Any) -> Any:
    """Write a traceback as text; the sentence at its end may hold what others wrote."""
    event = structlog.processors.format_exc_info(logger, method, event)
    if "exception" in event:
        event["exception"] = printable(event["exception"])
    return event


def _traceback(stream: TextIO, exc_info: Any) -> None:
    """Write a traceback for people; the prettier ones print local variables, passwords too."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    stream.write(printable(plain.getvalue()))
