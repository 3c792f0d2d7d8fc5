r"""Lines that belong to the record before them: stack traces and other continuation lines.

A sender that ends each message with LF and does not escape the LFs inside one splits a stack
trace into a record a line. What a continuation line looks like is known:

    blank or tab first                      the frames of a trace, wrapped text
    Traceback (most recent call last):      with the indented lines behind it and the one line,
                                            not indented, that names the exception
    During handling of the above ...        and `The above exception was ...`: Python's chains
    Caused by: Suppressed: ... 12 more      Java's chains
    at com.foo.Bar.baz(Bar.java:12)         where a sender took the indentation away

Anything else begins a record, and so does each line with a PRI, also an indented one; hence each
octet-counted frame, which has one. A line that begins with a stamp matches none of the above.
"""

from logopsd.framing.buffer import FrameList
from logopsd.patterns import lazy_pattern
from logopsd.records import Frames

MAX_LINES = 512
"""The most lines of one record: beyond the deepest traces (Java cuts at 1024 frames, Python at
1000, both mostly repeated ones), and little enough that a log of indented text stays readable."""

_TRACEBACK = b"Traceback (most recent call last):"

_continuation = lazy_pattern(
    rb"[ \t]++(?!<[0-9]{1,3}>)"
    rb"|Traceback \(most recent call last\):"
    rb"|During handling of the above exception"
    rb"|The above exception was the direct cause"
    rb"|Caused by: |Suppressed: "
    rb"|\.\.\. [0-9]{1,9} (?:more|common frames omitted)"
    rb"|at [\w$/<>@~-]++\.[\w$./<>@~-]++\("
)
_exception = lazy_pattern(rb"[A-Za-z_][\w.<>]*+(?:: |:?\Z)")


class MultilineJoiner:
    """Joins the continuation lines of one connection to their records.

    The last record is held until the next one begins, or until nothing was added to it for the
    time-out: whoever owns the joiner asks for it then (`due`, `expire`). A line for which there
    is no room begins a record of its own, so that nothing is cut that the framer did not cut.

    Args:
        max_message: the most bytes of a record.
        timeout: how long a record waits for its next line, seconds.
        max_lines: the most lines of a record.

    Attributes:
        due: when the record held has waited long enough, by the clock of `now`; None where none
            is held.
    """

    def __init__(self, *, max_message: int, timeout: float, max_lines: int = MAX_LINES) -> None:
        self._max_message = max_message
        self._timeout = timeout
        self._max_lines = max_lines
        self._lines: list[bytes] = []
        self._size = 0
        self._length = 0  # before it was cut, where the framer cut the one line held
        self._in_traceback = False
        self.due: float | None = None

    def add(self, frames: Frames, now: float) -> Frames:
        """Take the next frames of the connection.

        Args:
            frames: as the framer gave them.
            now: seconds, by any clock that does not go back.

        Returns:
            The records that are complete by now, and the faults of `frames`.
        """
        out = FrameList()
        cut = frames.cut
        for index, line in enumerate(frames.frames):
            goes_on = self._goes_on(line)
            if not (goes_on and self._lines and self._has_room(line)):
                self._finish(out)
                self._length = cut.get(index, 0)
            self._in_traceback = self._in_traceback and goes_on
            self._append(line)
        if frames.frames:
            self.due = now + self._timeout
        joined = out.result()
        return Frames(joined.frames, joined.cut, frames.faults)

    def extend(self, now: float) -> None:
        """Let the record held wait anew, as nothing could come meanwhile."""
        if self._lines:
            self.due = now + self._timeout

    def expire(self, now: float) -> Frames:
        """Give the record held, if it has waited long enough."""
        return self.flush() if self.due is not None and now >= self.due else Frames()

    def flush(self) -> Frames:
        """Give the record held, as nothing follows it."""
        out = FrameList()
        self._finish(out)
        return out.result()

    def _goes_on(self, line: bytes) -> bool:
        """Whether a line belongs to the record held."""
        if _continuation.match(line):
            return True
        return self._in_traceback and _exception.match(line) is not None

    def _has_room(self, line: bytes) -> bool:
        size = self._size + 1 + len(line)
        return size <= self._max_message and len(self._lines) < self._max_lines

    def _append(self, line: bytes) -> None:
        # A header with PRI and tag may stand before it.
        if line.endswith(_TRACEBACK):
            self._in_traceback = True
        elif line[:1] not in (b" ", b"\t"):
            self._in_traceback = False
        self._size += len(line) + bool(self._lines)
        self._lines.append(line)

    def _finish(self, out: FrameList) -> None:
        """Move the record held to `out`."""
        if self._lines:
            record = b"\n".join(self._lines)
            out.add(record, max(self._length, len(record)))
            self._lines = []
            self._size = self._length = 0
        self.due = None
