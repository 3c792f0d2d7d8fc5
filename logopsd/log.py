"""The daemon's own log: structlog to a stream, readable on a terminal, JSON lines elsewhere.

Never a byte of a message: what the daemon was sent is counted and measured here, not shown. An
exception is shown as its type and the places it passed. Its own text is not, nor are local
variables: `UnicodeDecodeError`, `KeyError`, the `ValueError` of int() and many others quote the
value they failed on, and here values are what senders wrote, personal data included. LogopsError
is the one kind whose text is shown: we wrote it, for an operator (errors.py).
"""

import errno
import json
import logging
import os
import string
import sys
import threading
import traceback
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from logopsd.errors import LogopsError

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
"""The levels of LOGOPS_LOG_LEVEL, as the standard library numbers them."""

MAX_FRAMES = 12
"""Innermost places of a traceback that are shown; a recursion has a thousand."""

MAX_CAUSES = 4
"""Exceptions of a chain, or of a group, that are shown."""

_ROOT = Path(__file__).parent.parent


def new_instance() -> str:
    """A name for this run of the daemon that nobody else's log has: 16 letters, 75 bits.

    Letters, so that no detector of personal data takes it for a number or an address; before them
    a character that is rare in logs, so that a batch without it needs no further search.
    """
    # Not by `secrets`, which takes 4 ms of the start; the 128 bits leave no letter likelier by more
    # than 2**-52.
    number = int.from_bytes(os.urandom(16))
    return "~" + "".join(string.ascii_lowercase[number // 26**place % 26] for place in range(16))


class Threshold:
    """The least urgent level that is logged; it may be changed at any time.

    Args:
        level: one of LEVELS.
    """

    def __init__(self, level: str) -> None:
        self.set(level)

    def set(self, level: str) -> None:
        """Log from this level on, one of LEVELS."""
        self._least = LEVELS[level]

    def lets(self, level: int) -> bool:
        """Say whether a level, as `logging` numbers it, is urgent enough."""
        return level >= self._least

    def __call__(self, _: WrappedLogger, method: str, event: EventDict) -> EventDict:
        """Drop what is less urgent; a processor of structlog."""
        if not self.lets(LEVELS.get(method, logging.CRITICAL)):
            raise structlog.DropEvent
        return event


def configure(
    level: str | Threshold,
    format: Literal["auto", "console", "json"],
    stream: TextIO | None = None,
    *,
    instance: str = "",
) -> FilteringBoundLogger:
    """A logger that writes to `stream`.

    Args:
        level: what is less urgent is dropped; a Threshold where that is to change later.
        format: `console`, `json`, or `auto`: console where the stream is a terminal.
        stream: standard error where None.
        instance: stands in each JSON line, so that the daemon knows its own where they come back
            to it; see `new_instance`. Empty for none.
    """
    stream = sys.stderr if stream is None else stream
    console = format == "console" or (format == "auto" and stream.isatty())
    render = _for_people(stream) if console else _for_programs(instance)
    threshold = Threshold(level) if isinstance(level, str) else level
    logger = structlog.wrap_logger(
        _Output(stream),
        processors=[
            threshold,
            structlog.processors.add_log_level,
            _without_exception_text,
            _with_masked_peer,
            *render,
        ],
        wrapper_class=_logger_class(threshold),
    )
    return logger.bind()  # type: ignore[no-any-return]


def _logger_class(threshold: Threshold) -> type[FilteringBoundLogger]:
    """Return a class that lets all levels through: which are wanted may change (SIGHUP).

    Who has more to say than what is at hand asks it before: `is_enabled_for`.
    """
    every = structlog.make_filtering_bound_logger(logging.NOTSET)
    return type(
        every.__name__, (every,), {"is_enabled_for": lambda _, level: threshold.lets(level)}
    )


def take_over(log: FilteringBoundLogger) -> None:
    """Make `log` the last resort of the process, in place of Python's own hooks.

    Those print tracebacks with the exceptions' text. asyncio reports through `logging`, with
    callbacks and their arguments in the text: of that, only who spoke and where is kept.
    """

    def uncaught(
        _: type[BaseException], error: BaseException, __: TracebackType | None = None
    ) -> None:
        log.error("crashed", exc_info=error)

    def uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
        name = args.thread.name if args.thread else None
        log.error("thread crashed", thread=name, exc_info=args.exc_value)

    def unraisable(args: "sys.UnraisableHookArgs") -> None:
        log.error("error in a destructor", exc_info=args.exc_value)

    sys.excepthook = uncaught
    threading.excepthook = uncaught_in_thread
    sys.unraisablehook = unraisable
    logging.basicConfig(handlers=[_FromLibrary(log)], level=logging.WARNING, force=True)


def describe_exception(error: BaseException) -> str:
    """An exception as `Type at file:line in function < caller`, then ` <- ` its causes."""
    return " <- ".join(_one(each) for each in _chain(error))


def _with_masked_peer(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Show the network of a peer alone, as the records do where peers are masked."""
    peer = event.get("peer")
    if isinstance(peer, str):
        event["peer"] = _masked_peer(peer)
    return event


def _masked_peer(peer: str) -> str:
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return peer  # `unix`
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_loopback:
        return peer
    if address.version == 4:
        return ".".join(str(address).split(".")[:2]) + ".x.x"
    return ":".join(f"{int(group, 16):x}" for group in address.exploded.split(":")[:2]) + ":x" * 6


def _for_people(stream: TextIO) -> list[Processor]:
    return [
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False, key="ts"),
        structlog.dev.ConsoleRenderer(
            # https://no-color.org: present and not empty
            colors=stream.isatty() and not os.environ.get("NO_COLOR"),
            timestamp_key="ts",
            pad_event_to=14,
            sort_keys=False,
        ),
    ]


def _for_programs(instance: str) -> list[Processor]:
    def name(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        if instance:
            event["instance"] = instance
        return event

    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        _in_order,
        name,
        structlog.processors.JSONRenderer(serializer=_json),
    ]


class _Output:
    """Writes whole lines; a log that cannot be written must not end the daemon."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.Lock()  # the writer thread logs too

    def msg(self, line: str) -> None:
        try:
            with self._lock:
                self._stream.write(line + "\n")
                self._stream.flush()
        except (OSError, ValueError):  # a closed pipe, a full disk; a closed stream
            pass

    debug = info = warning = error = critical = exception = msg


class _FromLibrary(logging.Handler):
    """Passes on that a library logged something, and where, without its text."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        place = f"{record.filename}:{record.lineno} in {record.funcName}"
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        self._log.log(level, "library", logger=record.name, place=place, exc_info=error)


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
    frames = [(frame.f_code, line) for frame, line in traceback.walk_tb(trace)]
    for code, line in reversed(frames[-MAX_FRAMES:]):
        path = Path(code.co_filename)
        near = path.relative_to(_ROOT) if path.is_relative_to(_ROOT) else path.name
        yield f"{near}:{line} in {code.co_name}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, what caused it, and so on."""
    current: BaseException | None = error
    for _ in range(MAX_CAUSES):
        if current is None:
            return
        yield current
        context = None if current.__suppress_context__ else current.__context__
        current = current.__cause__ or context


def _without_exception_text(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Turns `exc_info`, and any exception among the values, into what may be shown of it."""
    given: Any = event.pop("exc_info", None)
    if given is True:
        given = sys.exc_info()
    if isinstance(given, tuple):
        given = given[1]
    if isinstance(given, BaseException):
        event["exception"] = given
    for key, value in event.items():
        if isinstance(value, BaseException):
            event[key] = describe_exception(value)
    return event


def _in_order(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """`ts`, `level`, `event`, then the rest as it was given."""
    first = {key: event.pop(key) for key in ("ts", "level", "event") if key in event}
    return {**first, **event}


def _json(event: EventDict, **_: object) -> str:
    """ASCII, so that undecodable file names (surrogates) cannot break the line."""
    return json.dumps(event, default=str)
