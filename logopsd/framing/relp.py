r"""RELP, the server's side of a session: bytes in, messages and answers out.

    TXNR SP COMMAND SP DATALEN [SP DATA] LF

    1 open 85 relp_version=0 ...        ->  1 rsp 65 200 OK ...
    2 syslog 9 <13>hello                ->  2 rsp 6 200 OK     once it is stored, and never before
    3 close 0                           ->  3 rsp 0, then 0 serverclose 0

The protocol is that of librelp (`doc/relp.md`, `relpframe.c`, `copen.c`, `scsyslog.c`). A message
that is not answered is sent again by its sender in the next session, so all that can be done for
later is to answer nothing: a negative answer would lose the message in the sender.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto

import msgspec

from logopsd.framing.buffer import FrameList, PartialFrame
from logopsd.patterns import lazy_pattern
from logopsd.records import Frames

LAST_TXNR = 999_999_999
"""The last transaction number; 1 comes behind it. 0 is a hint, which nobody answers."""

MAX_COMMAND_DATA = 4096
"""Bytes of data of a command other than syslog: offers are a few lines of a few words."""

SERVERCLOSE = b"0 serverclose 0\n"
"""The hint that we are about to close the connection."""

_NOT_SUPPORTED = b"500 command not supported"

_TRAILERS = b"\r\n\0"
_LF = 0x0A

_header = lazy_pattern(rb"([0-9]{1,9}) ([A-Za-z]{1,32}) ([0-9]{1,9})([ \n])")
_header_begun = lazy_pattern(rb"[0-9]{1,9}(?: (?:[A-Za-z]{1,32}(?: [0-9]{0,9})?)?)?")


class RelpRead(msgspec.Struct, frozen=True):
    """What one read brought.

    Attributes:
        frames: the messages, in order.
        answers: what to send once these are stored, behind the answers to earlier reads.
        ended: nothing more is taken; close once all answers are sent.
    """

    frames: Frames = msgspec.field(default_factory=Frames)
    answers: bytes = b""
    ended: bool = False


class _State(Enum):
    """Where in the stream the next byte stands."""

    HEADER = auto()
    DATA = auto()
    TRAILER = auto()  # the LF behind a frame


class _ProtocolError(Exception):
    """The peer does not speak RELP, or not in order: nothing behind it can be trusted."""


class RelpSession:
    """One session, from open to close. Any error ends it, and is counted as fault `protocol`.

    Offers are not looked at: our version is 0, the lowest, so whatever a client offers the lower
    of both is 0; and whatever commands it names, it may send syslog.

    Args:
        max_message: the most bytes of a message; a longer one is cut there, and never held.
        software: what we are, for the answer to open: `name,version`.
    """

    def __init__(self, *, max_message: int, software: str) -> None:
        self._max_message = max_message
        self._offers = f"200 OK\nrelp_version=0\nrelp_software={software}\ncommands=syslog".encode()
        self._open = False
        self._ended = False
        self._next = 1
        self._held = b""  # of a header
        self._state = _State.HEADER
        self._command = b""  # that of the frame under way, as its number
        self._txnr = 0
        self._missing = 0  # bytes of its data
        self._partial = PartialFrame(limit=max_message, trim=_TRAILERS)

    def receive_data(self, data: bytes) -> RelpRead:
        """Take the next bytes of the stream.

        Args:
            data: any number of them.

        Returns:
            The messages that are complete by now, and the answers to them.
        """
        if self._held:
            data = self._held + data
            self._held = b""
        out = FrameList()
        answers: list[bytes] = []
        pos, size = 0, len(data)
        try:
            while pos < size and not self._ended:
                pos = _STEPS[self._state](self, data, pos, out, answers)
        except _ProtocolError:
            out.fault("protocol")
            self._ended = True
        return RelpRead(out.result(), b"".join(answers), self._ended)

    # Each step takes at least a byte of data[pos:] and returns where the next one goes on.

    def _headers(self, data: bytes, pos: int, out: FrameList, answers: list[bytes]) -> int:
        """Take frames as long as they lie whole in the data, and begin on one that does not."""
        size, limit, header = len(data), self._max_message, _header.match
        while match := header(data, pos):
            number, command, length, separator = match.groups()
            start, count = match.end(), int(length)
            if separator == b"\n":  # the frame's own: it has no data
                if count:
                    raise _ProtocolError
                start -= 1
            end = start + count
            self._check(int(number), command, count)
            if end >= size or count > limit:
                self._missing = count
                self._state = _State.DATA if count else _State.TRAILER
                return start
            if data[end] != _LF:
                raise _ProtocolError
            frame = data[start:end].strip(_TRAILERS)
            self._execute(frame, len(frame), out, answers)
            pos = end + 1
            if self._ended or pos == size:
                return pos
        if not _header_begun.fullmatch(data, pos):
            raise _ProtocolError
        self._held = data[pos:]
        return size

    def _data(self, data: bytes, pos: int, _: FrameList, __: list[bytes]) -> int:
        """Go on with the data of a frame that comes in several reads."""
        piece = data[pos : pos + self._missing]
        self._partial.add(piece)
        self._missing -= len(piece)
        if not self._missing:
            self._state = _State.TRAILER
        return pos + len(piece)

    def _trailer(self, data: bytes, pos: int, out: FrameList, answers: list[bytes]) -> int:
        """End a frame that came in several reads."""
        if data[pos] != _LF:
            raise _ProtocolError
        self._state = _State.HEADER
        self._execute(*self._partial.finish(), out, answers)
        return pos + 1

    def _check(self, txnr: int, command: bytes, length: int) -> None:
        """Refuse what is out of turn, before any of its data is taken."""
        syslog = command == b"syslog"
        if txnr:
            if txnr != self._next or self._open is (command == b"open"):
                raise _ProtocolError
            self._next = txnr % LAST_TXNR + 1
        elif syslog:  # a message that cannot be answered
            raise _ProtocolError
        if not syslog and length > MAX_COMMAND_DATA:
            raise _ProtocolError
        self._txnr, self._command = txnr, command

    def _execute(self, frame: bytes, length: int, out: FrameList, answers: list[bytes]) -> None:
        """Do what a complete frame asks for."""
        txnr, command = self._txnr, self._command
        if command == b"syslog":
            out.add(frame, length)
            answers.append(b"%d rsp 6 200 OK\n" % txnr)
        elif not txnr:  # a hint, and there is none that concerns a server
            return
        elif command == b"open":
            self._open = True
            answers.append(_response(txnr, self._offers))
        elif command == b"close":
            self._ended = True
            answers.append(b"%d rsp 0\n" % txnr + SERVERCLOSE)
        else:
            answers.append(_response(txnr, _NOT_SUPPORTED))


def _response(txnr: int, data: bytes) -> bytes:
    return b"%d rsp %d %s\n" % (txnr, len(data), data)


_STEPS: Mapping[_State, Callable[[RelpSession, bytes, int, FrameList, list[bytes]], int]] = {
    _State.HEADER: RelpSession._headers,
    _State.DATA: RelpSession._data,
    _State.TRAILER: RelpSession._trailer,
}
