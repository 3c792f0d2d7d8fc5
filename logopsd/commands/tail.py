"""`logopsd tail`: follows the records as they are stored, after masking."""

import argparse
import datetime
import heapq
import os
import select
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from logopsd.commands import record_line, terminal
from logopsd.commands.arguments import DEFAULT_LINES, moment_text
from logopsd.commands.record_line import Filter
from logopsd.sinks.rotation import Piece
from logopsd.stored.follow import (
    Followers,
    backwards,
    by_writer,
    offset_of,
    path_of,
    pieces,
)
from logopsd.stored.lines import read, received

MAX_HELD_BYTES: Final = 64 * 1024 * 1024
"""Of lines that are held until the oldest of them is found; more are not shown."""

INTERVAL_SECONDS: Final = 0.25
"""Between two looks at the file: people see no delay, and a look costs some microseconds."""


class Tail:
    """Shows records of a directory.

    Args:
        directory: of the sink.
        wanted: which records.
        show: prints a line, given as it is stored, and its fields.
        now: the time, seconds since the epoch.
    """

    def __init__(
        self,
        directory: Path,
        wanted: Filter,
        show: Callable[[bytes, dict[str, object]], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._directory = directory
        self._wanted = wanted
        self._show = show
        day = datetime.datetime.fromtimestamp(now(), datetime.UTC).strftime("%Y%m%d")
        if wanted.since:
            day = min(day, wanted.since[:10].replace("-", ""))
        self._first = day
        self._followers = Followers(directory, day, _received)

    def close(self) -> None:
        """Close the files that are open."""
        self._followers.close()

    def begin(self, lines: int | None) -> None:
        """Show what is there: the last so many lines, or all; then be at the end of it."""
        there = [piece for piece in pieces(self._directory) if piece.day >= self._first]
        writers = by_writer(there)
        if lines is None:
            if self._wanted.since:
                for of_one in writers.values():
                    self._skip_to_since(of_one)
            self.poll()
            return
        held: deque[bytes] = deque()
        room = MAX_HELD_BYTES
        ends = {piece: self._end_of(piece) for piece in there}
        one_by_one = [self._newest_first(of_one, ends) for of_one in writers.values()]
        for line in heapq.merge(*one_by_one, key=_received, reverse=True) if lines else ():
            record = read(line)
            if self._wanted.since and (received(record) or "~") < self._wanted.since:
                break
            if self._wanted.passes(record):
                room -= len(line)
                if room < 0:
                    break
                held.appendleft(line)
                if len(held) == lines:
                    break
        for line in held:
            self._show(line, read(line))
        for of_one in writers.values():
            self._followers.begin(of_one[-1], ends[of_one[-1]])

    def poll(self) -> None:
        """Show what has come since."""
        for line in self._followers.poll():
            record = read(line)
            if self._wanted.passes(record):
                self._show(line, record)

    def _newest_first(self, of_one: list[Piece], ends: dict[Piece, int]) -> Iterator[bytes]:
        for piece in reversed(of_one):
            try:
                file = path_of(self._directory, piece).open("rb")
            except FileNotFoundError:
                continue
            with file:
                yield from backwards(file, ends[piece])

    def _end_of(self, piece: Piece) -> int:
        """How many bytes of a file are whole lines; what is behind is still being written."""
        try:
            with path_of(self._directory, piece).open("rb") as file:
                return _whole(file)
        except FileNotFoundError:
            return 0

    def _skip_to_since(self, there: list[Piece]) -> None:
        """Begin with the first file that has lines of the time asked for, and with these."""
        for piece in there:
            try:
                file = path_of(self._directory, piece).open("rb")
            except FileNotFoundError:
                continue
            with file:
                end = _whole(file)
                offset = offset_of(file, self._wanted.since, end, _received)
            if offset < end or piece == there[-1]:
                self._followers.begin(piece, offset)
                return


def _received(line: bytes) -> str:
    return received(read(line))


def _whole(file: BinaryIO) -> int:
    """The bytes up to the last LF, and with it."""
    position = file.seek(0, os.SEEK_END)
    while position:
        start = max(0, position - 65536)
        file.seek(start)
        found = file.read(position - start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        position = start
    return 0


class Printer:
    """Prints lines to a stream.

    Args:
        stream: where to.
        raw: as they are stored.
        colour: by level.
        full: do not cut them to the terminal's width.
    """

    def __init__(self, stream: TextIO, *, raw: bool, colour: bool, full: bool) -> None:
        self._stream = stream
        self._raw = raw
        self._colour = colour
        self._terminal = stream.isatty()
        self._cut = self._terminal and not full
        self._encoding = stream.encoding or "utf-8"
        self._width = 0

    def measure(self) -> None:
        """Look how wide the terminal is now."""
        self._width = terminal.columns(self._stream, narrowest=20) if self._cut else 0

    def show(self, line: bytes, record: dict[str, object]) -> None:
        """Print a line."""
        if self._raw:
            data = record_line.safe_json(line) if self._terminal else line
        else:
            text = record_line.shown(record, colour=self._colour, width=self._width)
            data = text.encode(self._encoding, "backslashreplace")
        self._stream.buffer.write(data + b"\n")

    def wait(self) -> None:
        """Wait a moment.

        Raises:
            BrokenPipeError: who reads our output is gone.
        """
        self._stream.flush()
        watched = select.poll()
        watched.register(self._stream.fileno(), 0)  # errors and hang-ups are always told
        if watched.poll(INTERVAL_SECONDS * 1000):
            raise BrokenPipeError


def run(args: argparse.Namespace, directory: Path) -> int:
    """Show the records of a directory; returns the exit status.

    Raises:
        BrokenPipeError: who read our output is gone.
    """
    colour = terminal.wants_colour(args.color, sys.stdout, os.environ)
    printer = Printer(sys.stdout, raw=args.json, colour=colour, full=args.full)
    start = moment_text(args.since, time.time())
    wanted = Filter(args.level, frozenset(args.emitter), args.grep, start)
    lines = args.lines
    if lines is None and not start:
        lines = DEFAULT_LINES
    tail = Tail(directory, wanted, printer.show)
    try:
        printer.measure()
        tail.begin(lines)
        while not args.no_follow:
            printer.wait()
            printer.measure()
            tail.poll()
    finally:
        tail.close()
    return 0
