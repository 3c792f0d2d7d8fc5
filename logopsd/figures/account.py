"""The account of a day: for each input one record in the data itself, written at UTC midnight.

    received + inflight_before = accepted + dropped + suppressed + inflight

The records say of a day what the metrics say since the start, so that whoever holds the files can
tell whether they are all there. They are marked by `format: "account"`, which no sender can forge,
and are counted nowhere: an account that counted itself would never close.

A day is longer than a process: what was counted so far is kept in a small file beside the data,
saved each minute and at the end, and the next process goes on from there. After a kill, what was
counted since it was last saved is not known: `interrupted` says how often that was, and `unknown`
stands for what was in flight when it was saved.
"""

import errno
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec

from logopsd.figures.metrics import InputMetrics, Metrics
from logopsd.records import INPUTS, Record

NAME: Final = "logopsd"
"""What `app` and `emitter` of the records are."""

FORMAT: Final = "account"
"""What `format` and `msg` of the records are."""

STATE_FILE: Final = ".account.json"
"""Holds the figures of the day so far; hidden, so that nobody tails it."""

MAX_STATE_BYTES: Final = 64 * 1024
"""A state of all inputs has some 2 KiB; more was not written by us and is not read."""

_STATE_MODE: Final = 0o640

_PLAIN: Final = ("received", "accepted", "suppressed")
_BESIDE: Final = ("truncated", "repeats", "missing_ts", "missing_level")

Figures = dict[str, int]


class _State(msgspec.Struct):
    """What is kept of a day; `clean` while no process is counting on."""

    day: str
    clean: bool = False
    interrupted: int = 0
    figures: dict[str, Figures] = {}


def figures_of(input: InputMetrics) -> Figures:
    """Return the figures of an input since the start of the process, by name.

    `dropped` and `malformed` are sums; `dropped_<reason>` and `malformed_<reason>` stand beside
    them where they are not 0.
    """
    figures: Figures = {name: getattr(input, name) for name in _PLAIN}
    figures["dropped"] = sum(input.dropped.values())
    figures["inflight"] = input.inflight
    figures.update({name: getattr(input, name) for name in _BESIDE})
    figures["malformed"] = sum(input.faults.values())
    for what, reasons in (("dropped", input.dropped), ("malformed", input.faults)):
        figures.update({f"{what}_{reason}": count for reason, count in reasons.items() if count})
    return figures


def unaccounted(figures: Mapping[str, int]) -> int:
    """Return what an account lacks: 0 where it closes."""
    outcomes = ("accepted", "dropped", "suppressed", "inflight", "unknown")
    entered = figures["received"] + figures.get("inflight_before", 0)
    return entered - sum(figures.get(name, 0) for name in outcomes)


class Account:
    """Keeps the figures of the day, and writes them when it is over.

    Args:
        metrics: what is counted since the start of the process.
        write: takes the records of a day that is over.
        directory: where the figures are kept over a restart; None where they are not.
    """

    def __init__(
        self,
        metrics: Metrics,
        *,
        write: Callable[[list[Record]], None],
        directory: Path | None,
    ) -> None:
        self._metrics = metrics
        self._write = write
        self._path = None if directory is None else directory / STATE_FILE
        self._state = _State(day="")
        self._closed = False
        self._base: dict[str, Figures] = {}  # of the process, when the day began

    def open(self, now: float) -> None:
        """Go on where the last process ended; a day that is over meanwhile is written.

        Args:
            now: seconds since the epoch.
        """
        today = _day(now)
        state = self._load()
        if state is None:
            self._state = _State(day=today)
            return
        if not state.clean:
            state.interrupted += 1
            for figures in state.figures.values():
                figures["unknown"] = figures.get("unknown", 0) + figures.get("inflight", 0)
        state.clean = False
        self._state = state
        self._end_day_if_over(now)

    def interrupt(self) -> None:
        """Note that one of several processes died: what it counted last is not known."""
        self._state.interrupted += 1

    def tick(self, now: float) -> bool:
        """Write the account of the day where it is over; whether it was.

        To be called at least once a minute. A clock that was put back by less than a day ends
        none: the same day would be told twice.
        """
        return self._end_day_if_over(now)

    def seconds_until_midnight(self, now: float) -> float:
        """Return how long until the day is over."""
        moment = datetime.fromtimestamp(now, UTC)
        midnight = datetime.combine(moment.date() + timedelta(days=1), datetime.min.time(), UTC)
        return (midnight - moment).total_seconds()

    def saved(self, *, clean: bool = False) -> bytes:
        """Return the state as it is to be kept; in the event loop, where the figures hold still.

        Empty, which keeps nothing, before `open` and after a state that was clean.
        """
        if not self._state.day or self._closed:
            return b""
        self._closed = clean
        state = _State(self._state.day, clean, self._state.interrupted, self._today())
        return msgspec.json.encode(state)

    def save(self, state: bytes) -> None:
        """Keep a state; for a thread.

        Raises:
            OSError: the disk does not take it; the account then lives in the process alone.
        """
        if self._path is None or not state:
            return
        new = self._path.with_name(f"{self._path.name}.new")
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _STATE_MODE)
        try:
            if os.write(fd, state) < len(state):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finally:
            os.close(fd)
        os.replace(new, self._path)

    def _load(self) -> _State | None:
        """Read what the last process kept; what cannot be read is no reason not to start."""
        if self._path is None:
            return None
        try:
            with self._path.open("rb") as file:
                return msgspec.json.decode(file.read(MAX_STATE_BYTES), type=_State)
        except (OSError, msgspec.DecodeError):
            return None

    def _end_day_if_over(self, now: float) -> bool:
        today, tomorrow = _day(now), _day(now + 86400)
        if self._state.day in (today, tomorrow):
            return False
        self._write(self._records(now))
        figures = {name: figures_of(input) for name, input in self._metrics.inputs.items()}
        self._add_kernel_drops(figures)
        self._base = figures
        left = {name: {"inflight_before": each["inflight"]} for name, each in figures.items()}
        self._state = _State(day=today, figures={k: v for k, v in left.items() if any(v.values())})
        return True

    def _today(self) -> dict[str, Figures]:
        """The figures of the day: those kept, and what the process has counted since."""
        counted = {name: figures_of(input) for name, input in self._metrics.inputs.items()}
        self._add_kernel_drops(counted)
        today: dict[str, Figures] = {}
        for name in (*counted, *(name for name in self._state.figures if name not in counted)):
            now, base = counted.get(name, {}), self._base.get(name, {})
            figures = dict(self._state.figures.get(name, {}))
            for key, value in now.items():
                if key != "inflight":
                    figures[key] = figures.get(key, 0) + value - base.get(key, 0)
            figures["inflight"] = now.get("inflight", 0)
            today[name] = figures
        return today

    def _add_kernel_drops(self, figures: dict[str, Figures]) -> None:
        if "udp" in figures:
            figures["udp"]["kernel_drops"] = self._metrics.udp_kernel_drops

    def _records(self, now: float) -> list[Record]:
        received = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
        received = received.replace("+00:00", "Z")
        return [
            self._record(name, figures, received)
            for name, figures in self._today().items()
            if name in INPUTS  # the state is a file that somebody may have edited
        ]

    def _record(self, name: str, figures: Figures, received: str) -> Record:
        extras: dict[str, Any] = {"day": self._state.day, "account": figures}
        if self._state.interrupted:
            extras["interrupted"] = self._state.interrupted
        return Record(
            received,
            "INFO",
            FORMAT,
            emitter=NAME,
            app=NAME,
            input=name,
            received=received,
            format=FORMAT,
            extras=extras,
        )


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()
