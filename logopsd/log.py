"""The daemon's own log: structlog to a stream, readable on a terminal, JSON lines elsewhere.

Never a byte of a message: what the daemon was sent is counted and measured here, not shown.
"""

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from logopsd.errors import LogopsError

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""The levels of LOGOPS_LOG_LEVEL, as the standard library numbers them."""

MAX_FRAMES = 12
"""Innermost places of a traceback that are shown; a recursion has a thousand."""

MAX_CAUSES = 4
"""Exceptions of a chain that are shown, the last raised first."""

_PACKAGE = Path(__file__).parent.parent


def configure(
    level: str, format: Literal["auto", "console", "json"], stream: TextIO | None = None
) -> FilteringBoundLogger:
    """A logger that writes to `stream`.

    Args:
        level: one of LEVELS; what is less urgent is dropped.
        format: `console`, `json`, or `auto`: console where the stream is a terminal.
        stream: standard error where None.
    """
    stream = sys.stderr if stream is None else stream
    terminal = stream.isatty()
    processors: list[Processor] = [structlog.processors.add_log_level, _render_exception]
    if format == "console" or (format == "auto" and terminal):
        processors += [
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="ts"),
            structlog.dev.ConsoleRenderer(
                colors=terminal and not os.environ.get("NO_COLOR"),
                timestamp_key="ts",
                pad_event_to=14,
                sort_keys=False,
            ),
        ]
    else:
        processors += [
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            _in_order,
            structlog.processors.JSONRenderer(serializer=_json),
        ]
    return structlog.wrap_logger(  # type: ignore[no-any-return]
        structlog.PrintLogger(stream),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )


def describe_exception(error: BaseException) -> str:
    """An exception as `Type at file:line in function < ... `, with its causes.

    Never the exception's own text, nor local variables: `UnicodeDecodeError`, `KeyError`,
    `ValueError` of int() and many others quote the value that they failed on, and here values
    are what senders wrote, personal data included. A LogopsError is the exception: its text is
    written by us, for an operator (errors.py).
    """
    return " <- ".join(_one(each) for each in _chain(error))


def _one(error: BaseException) -> str:
    name = type(error).__name__
    said = f": {error}" if isinstance(error, LogopsError) else ""
    if isinstance(error, OSError) and error.errno is not None:
        # The number's name alone: the words beside it may be anybody's.
        said = f": {errno.errorcode.get(error.errno, error.errno)}"
    if isinstance(error, BaseExceptionGroup):
        said = f" of [{'; '.join(map(_one, error.exceptions[:MAX_CAUSES]))}]"
    places = " < ".join(_places(error.__traceback__))
    return f"{name}{said}" + (f" at {places}" if places else "")


def _places(trace: TracebackType | None) -> Iterator[str]:
    """`file:line in function`, the innermost first."""
    frames = [
        (frame.f_code.co_filename, line, frame.f_code.co_name)
        for frame, line in traceback.walk_tb(trace)
    ]
    for filename, line, function in reversed(frames[-MAX_FRAMES:]):
        path = Path(filename)
        near = path.relative_to(_PACKAGE) if path.is_relative_to(_PACKAGE) else path.name
        yield f"{near}:{line} in {function}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    current: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if current is None:
            return
        yield current
        hidden = current.__suppress_context__
        current = current.__cause__ or (None if hidden else current.__context__)


def _render_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replaces `exc_info` by what may be shown of it, before any renderer sees it."""
    given = event.pop("exc_info", None)
    if isinstance(given, tuple):
        given = given[1]
    elif given and not isinstance(given, BaseException):
        given = sys.exc_info()[1]
    if isinstance(given, BaseException):
        event["exception"] = describe_exception(given)
    return event


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """`ts`, `level`, `event`, then the rest as it was given."""
    first = {key: event.pop(key) for key in ("ts", "level", "event") if key in event}
    return {**first, **event}


def _json(event: EventDict, **_: object) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
