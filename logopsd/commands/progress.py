"""A progress bar for work that takes long, on a terminal alone."""

import time
from typing import TextIO

WIDTH = 30
"""Characters of the bar itself."""

DELAY_SECONDS = 0.5
"""Work that is done sooner shows no bar."""

INTERVAL_SECONDS = 0.1
"""Time between two drawings; a faster one cannot be read."""

_ERASE_LINE = "\r\x1b[K"


class ProgressBar:
    """Draws what part of the work is done; draws nothing where `stream` is no terminal.

    Args:
        stream: usually standard error, so that standard output can be piped on.
        what: the work, in a word.
    """

    def __init__(self, stream: TextIO, what: str) -> None:
        self._stream = stream
        self._what = what
        self._terminal = stream.isatty()
        self._next = time.monotonic() + DELAY_SECONDS
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """Draw, unless that was done a moment ago."""
        now = time.monotonic()
        if not self._terminal or now < self._next:
            return
        self._next = now + INTERVAL_SECONDS
        self._drawn = True
        part = min(done / total, 1.0) if total > 0 else 1.0
        full = int(part * WIDTH)
        bar = "#" * full + "." * (WIDTH - full)
        self._stream.write(f"{_ERASE_LINE}[{bar}] {part:4.0%} {self._what}")
        self._stream.flush()

    def close(self) -> None:
        """Remove the bar, so that what is printed next begins on an empty line."""
        if self._drawn:
            self._stream.write(_ERASE_LINE)
            self._stream.flush()
            self._drawn = False
