"""Syslog over a stream: RFC 6587's two framings told apart frame by frame; RFC 5425.

    LEN SP MSG            octet counting, section 3.4.1: no delimiter, MSG may hold anything
    MSG LF                section 3.4.2; also CRLF and NUL

A frame is counted only where its bytes match `[1-9][0-9]{0,8} <[0-9]{1,3}>`, so that a line such
as `2024-05-03T...` or `200 OK` stays a line. While the bytes are a proper prefix of that, they
wait: without a delimiter they are no complete line either, so no timer is needed.

A count that lied shows where its frame ends. Nothing is dropped for it: the bytes up to the next
landmark (LF, NUL, or what looks like a counted frame) become a frame, and a fault is counted.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Literal

from logopsd.compiled import find_counted, take_counted
from logopsd.framing.buffer import FrameList, PartialFrame
from logopsd.framing.newline import NewlineFramer, NulFramer
from logopsd.patterns import lazy_pattern
from logopsd.records import Frames

Mode = Literal["auto", "lf", "octet", "nul"]
"""How a stream is framed: `auto` tells frame by frame, the others are told by the operator."""

MIN_MAX_MESSAGE = 16
"""The least `max_message`, bytes: a whole header (15 bytes) must fit, to be decided upon."""

MAX_COUNT = 1024 * 1024
"""The largest count that is believed where nobody declared octet counting, bytes, unless
`max_message` is larger. A larger one is text: a number that is no count would swallow what follows
it, up to a gigabyte. No sender known writes longer messages; rsyslogd stops at 200,000."""

# A count shorter than the PRI behind it is none.
_HEADER = rb"(?![12] |3 <[0-9]{2}|4 <[0-9]{3})([1-9][0-9]{0,8}) <[0-9]{1,3}>"
_HEADER_BEGUN = rb"[1-9][0-9]{0,8}(?: (?:<[0-9]{0,3})?)?"
_HEADER_BEGUN_MAX = 14

_TRAILERS = b"\r\n\0"
_ANY_COUNT = 10**9
"""More than nine digits can say."""

_trailers = lazy_pattern(rb"[\r\n\0]*")
_counted_pri = lazy_pattern(rb"[\r\n\0]*+" + _HEADER)
_counted = lazy_pattern(rb"[\r\n\0]*+([1-9][0-9]{0,8}) ")
_begun_pri = lazy_pattern(_HEADER_BEGUN)
_begun = lazy_pattern(rb"[1-9][0-9]{0,8}")
_begun_at_end = lazy_pattern(_HEADER_BEGUN + rb"\Z")
_landmark = lazy_pattern(rb"[\n\0]|" + _HEADER)
# It starts with a literal, for which the search is fast: hence NUL is made LF before.
_counted_after_lf = lazy_pattern(rb"\n\r*+" + _HEADER)


class _State(Enum):
    """Where in the stream the next byte stands."""

    BETWEEN = auto()  # at the start of a frame, behind a delimiter or at the very beginning
    BEHIND_COUNTED = auto()  # a counted frame has just ended, no delimiter seen yet
    IN_LINE = auto()
    IN_COUNTED = auto()
    LOST = auto()  # looking for the next landmark


class SyslogStreamFramer:
    """Frames of a syslog stream, see the module.

    Args:
        max_message: the most bytes of a frame, at least MIN_MAX_MESSAGE; a longer one is cut
            there, whatever its framing, and never held in memory.
        mode: `auto`; `lf` for lines only; `octet` for counted frames only (RFC 5425), whose
            count is believed without a PRI behind it; `nul` for messages that may hold LF.

    Raises:
        ValueError: max_message is too small.
    """

    def __init__(self, *, max_message: int, mode: Mode = "auto") -> None:
        if max_message < MIN_MAX_MESSAGE:
            raise ValueError(f"max_message must be at least {MIN_MAX_MESSAGE}")
        self._max_message = max_message
        self._strict = mode == "octet"
        self._max_count = _ANY_COUNT if self._strict else max(max_message, MAX_COUNT)
        self._header = _counted if self._strict else _counted_pri
        self._header_begun = _begun if self._strict else _begun_pri
        lines = NulFramer if mode == "nul" else NewlineFramer
        self._lines = lines(max_message=max_message)
        self._lines_only = mode in ("lf", "nul")
        self._partial = PartialFrame(limit=max_message, trim=_TRAILERS)
        self._missing = 0  # bytes of the counted frame under way
        self._undecided = b""  # may yet become a header
        self._lf_only = b""  # the data under way with each NUL as an LF, place by place
        self._state = _State.BETWEEN

    def receive_data(self, data: bytes) -> Frames:
        """Take the next bytes of the stream.

        Args:
            data: any number of them.

        Returns:
            The frames that are complete by now.
        """
        if self._lines_only:
            return self._lines.receive_data(data)
        if self._undecided:
            data = self._undecided + data
            self._undecided = b""
        self._lf_only = data.replace(b"\0", b"\n")
        out = FrameList()
        pos, size = 0, len(data)
        while pos < size:
            pos = _STEPS[self._state](self, data, pos, out)
        self._lf_only = b""  # many connections are idle, and each would keep its last read
        return out.result()

    def receive_eof(self) -> Frames:
        """End the stream.

        Returns:
            What remained of it: a last line without its delimiter, or what had arrived of a
            counted frame, cut short of its count.
        """
        out = FrameList()
        header_cut = bool(self._undecided) and (
            self._strict or self._state is _State.BEHIND_COUNTED
        )
        if header_cut or self._state is _State.IN_COUNTED:
            out.fault("incomplete")
        if self._undecided:
            self._partial.add(self._undecided)
            self._undecided = b""
        frame, length = self._partial.finish()
        out.add(frame, length + self._missing)
        self._missing = 0
        out.extend(self._lines.receive_eof())
        self._state = _State.BETWEEN
        return out.result()

    # Each step takes at least a byte of data[pos:], or changes the state, and returns where the
    # next one goes on.

    def _between(self, data: bytes, pos: int, out: FrameList) -> int:
        """Decide what the next frame is."""
        if match := self._header.match(data, pos):
            if int(match[1]) <= self._max_count:
                return self._counted_run(data, match, out)
            out.fault("resync")
            self._state = _State.IN_LINE
            return match.start(1)
        start = _trailers.match(data, pos).end()  # type: ignore[union-attr]  # matches anywhere
        if start > pos:
            self._state = _State.BETWEEN
            return start
        if self._header_begun.fullmatch(data, pos):
            self._undecided = data[pos:]
            return len(data)
        if self._strict or (self._state is _State.BEHIND_COUNTED and data[pos] not in b"<{"):
            out.fault("resync")
            self._state = _State.LOST
        else:
            self._state = _State.IN_LINE
        return pos

    def _counted_run(self, data: bytes, first: re.Match[bytes], out: FrameList) -> int:
        """Take counted frames as long as one follows the other."""
        size, limit, believed = len(data), self._max_message, self._max_count
        append, header = out.frames.append, self._header.match
        match: re.Match[bytes] | None = first
        pos = first.start()
        if take_counted is not None:
            pos = take_counted(data, pos, min(limit, believed), out.frames)
            match = header(data, pos)
        while match and (count := int(match[1])) <= believed:
            start = match.end(1) + 1
            pos = start + count
            if pos > size or count > limit:
                self._missing = count
                self._state = _State.IN_COUNTED
                return start
            if frame := data[start:pos].strip(_TRAILERS):
                append(frame)
            match = header(data, pos)
        self._state = _State.BEHIND_COUNTED
        return pos

    def _in_counted(self, data: bytes, pos: int, out: FrameList) -> int:
        """Go on with the counted frame whose rest comes in another read."""
        piece = data[pos : pos + self._missing]
        self._partial.add(piece)
        self._missing -= len(piece)
        if not self._missing:
            out.add(*self._partial.finish())
            self._state = _State.BEHIND_COUNTED
        return pos + len(piece)

    def _in_line(self, data: bytes, pos: int, out: FrameList) -> int:
        """Take lines, all of them at once up to the next counted frame."""
        end = (_find_counted(self._lf_only, pos) + 1) or len(data)
        self._lines.take(data[pos:end], out)
        begun = self._lines.partial
        if not begun:
            self._state = _State.BETWEEN
        elif len(begun) <= _HEADER_BEGUN_MAX and _begun_pri.fullmatch(begun.held):
            self._undecided, _ = begun.finish()
            self._state = _State.BETWEEN
        return end

    def _lost(self, data: bytes, pos: int, out: FrameList) -> int:
        """Take everything up to the next landmark as one frame."""
        if match := _landmark.search(data, pos):
            self._partial.add(data[pos : match.start()])
            out.add(*self._partial.finish())
            self._state = _State.BETWEEN
            return match.start()
        size = len(data)
        begun = _begun_at_end.search(data, max(pos, size - _HEADER_BEGUN_MAX))
        end = begun.start() if begun else size
        self._partial.add(data[pos:end])
        self._undecided = data[end:]
        return size


def _find_counted(data: bytes, pos: int) -> int:
    """Return where the LF stands behind which the first counted frame begins, or -1."""
    if find_counted is not None:
        return find_counted(data, pos)
    match = _counted_after_lf.search(data, pos)
    return match.start() if match else -1


_STEPS: Mapping[_State, Callable[[SyslogStreamFramer, bytes, int, FrameList], int]] = {
    _State.BETWEEN: SyslogStreamFramer._between,
    _State.BEHIND_COUNTED: SyslogStreamFramer._between,
    _State.IN_LINE: SyslogStreamFramer._in_line,
    _State.IN_COUNTED: SyslogStreamFramer._in_counted,
    _State.LOST: SyslogStreamFramer._lost,
}
