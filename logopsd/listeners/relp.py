"""RELP: syslog with an answer for each message, given once it is stored.

A read goes down as one batch; the answers to it are kept until the batch is stored, and go out in
the order of the messages, many in one write. Nothing is ever answered to say "later": while the
sink is full we do not read, and who gets no answer sends again.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from logopsd.framing.relp import SERVERCLOSE, RelpSession
from logopsd.listeners import sockets
from logopsd.listeners.stream import StreamListener
from logopsd.listeners.stream_connection import Connection
from logopsd.records import Frames

MAX_SEGMENT = 1400
"""Bytes of a TCP segment, as on Ethernet. librelp holds back what does not fill one until its
window of 128 messages is full, and then waits 200 ms for the kernel to send it all the same: over
loopback, with its segments of 64 KiB, that makes 640 messages a second."""

GOODBYE_SECONDS = 0.5
"""How long a client may take to close the connection after we said goodbye."""


class TakeFrames(Protocol):
    """Takes frames and tells when they are stored; `Pipeline.take_frames`, bound to the input."""

    def __call__(
        self,
        frames: Frames,
        peer: str,
        *,
        on_stored: Callable[[], None],
        on_failed: Callable[[Exception], None],
    ) -> object:
        """Take the frames of one read."""


class _Answers:
    """The answers to one read."""

    __slots__ = ("data", "due")

    def __init__(self, data: bytes, *, due: bool) -> None:
        self.data = data
        self.due = due


class RelpConnection(Connection):
    """One session.

    Args:
        listener: whose it is.
        make_session: gives the protocol's side of it.
        take_frames: takes the frames of one read and their peer, and tells when they are stored.
    """

    TLS_MEND = "set LOGOPS_RELP_TLS=true"

    def __init__(
        self,
        listener: StreamListener,
        *,
        make_session: Callable[[], RelpSession],
        take_frames: TakeFrames,
    ) -> None:
        super().__init__(listener)
        self._session = make_session()
        self._take_frames = take_frames
        self._answers: deque[_Answers] = deque()
        self._taking = True
        self._over = False  # part once all is answered
        self._deserted = False  # the client sends no more
        self._parted = False
        self._clogged = False  # the client does not read our answers
        self._sending_soon = False

    def take(self, data: bytes) -> None:
        """Take the messages of a read; what we do not take is sent again."""
        if not self._taking:
            return
        read = self._session.receive_data(data)
        if read.ended:
            self._over = True
            self._taking = False
        for reason, count in read.frames.faults.items():
            self._listener.metrics.fault(reason, count)
            hint = "this port takes RELP alone (omrelp); other syslog goes to LOGOPS_TCP_PORT"
            self._listener.warn("RELP protocol error", peer=self.peer, hint=hint)
        stored = not read.frames.frames
        answers = _Answers(read.answers, due=stored)
        self._answers.append(answers)
        if not stored:
            on_stored = partial(self._stored, answers)
            self._take_frames(
                read.frames, self.peer, on_stored=on_stored, on_failed=self._not_stored
            )
        self._send_soon()

    def owes(self) -> bool:
        """Whether something that was taken is still to be answered."""
        return bool(self._answers) and not self.transport.is_closing()

    def resume(self) -> None:
        """Read again, unless it would only make for more answers that nobody reads."""
        if not self._clogged:
            super().resume()

    def pause_writing(self) -> None:
        """Read no more messages while the client does not read the answers to them."""
        self._clogged = True
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        """Read again."""
        self._clogged = False
        if not self._listener.paused:
            self.resume()

    def eof_received(self) -> bool:
        """End; over plain TCP a client that only stopped sending gets its answers still."""
        super().eof_received()
        self._over = self._deserted = True
        return self._listener.tls is None and self.owes()

    def close_soon(self) -> None:
        """Take nothing more: it is sent again, to whoever comes after us."""
        self._taking = False

    def goodbye(self) -> None:
        """Say that we leave, and do."""
        self.finish()
        if not (self._answers or self._parted or self.transport.is_closing()):
            self.transport.write(SERVERCLOSE)
        self._part()

    def _part(self) -> None:
        """Say nothing more, and let the client close.

        Were we to close while it is sending, it would be reset, and could lose answers.
        """
        if self._parted or self.transport.is_closing():
            return
        self._parted = True
        if self.transport.can_write_eof() and not self._deserted:
            sockets.end_sending(self.transport)
            asyncio.get_running_loop().call_later(GOODBYE_SECONDS, self.transport.abort)
        else:
            self.transport.close()

    def _stored(self, answers: _Answers) -> None:
        answers.due = True
        self._send_soon()

    def _not_stored(self, _: Exception) -> None:
        """Part without an answer: the client sends it again."""
        self.transport.abort()

    def _send_soon(self) -> None:
        """Have what is due sent when the loop comes round: by then more of it may be."""
        if not self._sending_soon:
            self._sending_soon = True
            asyncio.get_running_loop().call_soon(self._send)

    def _send(self) -> None:
        self._sending_soon = False
        due = []
        while self._answers and self._answers[0].due:
            due.append(self._answers.popleft().data)
        if self._parted or self.transport.is_closing():
            return
        if data := b"".join(due):
            self.transport.write(data)
        if self._over and not self._answers:
            self._part()
