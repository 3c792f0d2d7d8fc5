"""The connections of a StreamListener: one that feeds a framer, and what all kinds share."""

import asyncio
import fcntl
import struct
import termios
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from logopsd.listeners import sockets
from logopsd.listeners.reading import ReadingProtocol
from logopsd.records import Frames

if TYPE_CHECKING:
    from logopsd.listeners.stream import StreamListener

_TLS_HANDSHAKE = b"\x16\x03"
"""How a TLS record with a ClientHello begins (RFC 8446 section 5.1); no log line does."""


class Framer(Protocol):
    """Cuts the frames out of one stream."""

    def receive_data(self, data: bytes) -> Frames:
        """Take the next bytes, give the frames that are complete."""

    def receive_eof(self) -> Frames:
        """Give what remains."""


class Connection(ReadingProtocol):
    """One peer of a stream listener; a kind of connection says what becomes of the data.

    Args:
        listener: whose it is.

    Attributes:
        peer: whose it is, as known before it is made, or else as the socket says.
        made: whether it was made; over TLS not before the handshake is done.
        transport: once the connection is made.
        last_read: when something last came, by the clock of the loop, seconds.
    """

    def __init__(self, listener: "StreamListener") -> None:
        self._listener = listener
        self.peer = ""
        self.made = False
        self._finished = False
        self._first = True
        self.last_read = asyncio.get_running_loop().time()

    # What a kind of connection does.

    TLS_MEND = "point it at the TLS input (LOGOPS_TLS_PORT)"
    """How senders that speak TLS to a plain port are served."""

    def take(self, data: bytes) -> None:
        """Take what came."""
        raise NotImplementedError

    def take_rest(self) -> None:
        """Take what had come before, as no more will: called once."""

    def resume(self) -> None:
        """Read again."""
        self.last_read = asyncio.get_running_loop().time()
        self.transport.resume_reading()

    def close_soon(self) -> None:
        """The listener is about to close: begin to come to an end."""

    def goodbye(self) -> None:
        """Nothing is owed any more, or time is up: finish, and close the transport."""
        self.finish()
        self.transport.close()

    # What all do.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless the listener does not want this peer."""
        self.made = True
        self.transport = cast(asyncio.Transport, transport)
        self.peer = self.peer or sockets.peer_of(transport.get_extra_info("peername"))
        if not self._permitted():
            self._finished = True
            self.transport.abort()
            return
        self._listener.opened(self)
        if self._listener.paused:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Take what came, unless it is none of ours."""
        listener = self._listener
        if self._first:
            self._first = False
            if _TLS_HANDSHAKE.startswith(data[:2]) and listener.tls is None:
                self._refuse_tls()
        if self._finished:
            return
        self.last_read = asyncio.get_running_loop().time()
        self.take(data)

    def eof_received(self) -> bool | None:
        """End, as the peer has; the transport then closes, unless told to stay open."""
        self.finish()
        return None

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whether the peer ended or was torn down."""
        self.finish()
        self._listener.closed(self)

    def finish(self) -> None:
        """Take what remains, and nothing after this."""
        if not self._finished:
            self._finished = True
            self.take_rest()

    def owes(self) -> bool:
        """Whether something that has arrived is still to be read."""
        return not self._finished and self.unread() > 0

    def unread(self) -> int:
        """How many bytes the kernel holds of this connection."""
        sock = self.transport.get_extra_info("socket")
        if sock is None:  # TLS has lost its connection, and is about to say so
            return 0
        try:
            held = fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4))
        except (OSError, ValueError):  # closed meanwhile
            return 0
        return int(struct.unpack("i", held)[0])

    def _permitted(self) -> bool:
        """Whether the certificate of the peer is one of those that may send."""
        tls = self._listener.tls
        if tls is None:
            return True
        fingerprint = tls.loaded.permitted.refusal(self.transport.get_extra_info("ssl_object"))
        if fingerprint is None:
            return True
        self._listener.metrics.refuse("peer")
        self._listener.warn(
            "TLS peer not permitted",
            peer=self.peer,
            fingerprint=fingerprint,
            hint="name it in LOGOPS_TLS_PERMITTED_PEERS if it may send",
        )
        return False

    def _refuse_tls(self) -> None:
        self._finished = True
        self._listener.warn(
            "TLS on a plain port",
            peer=self.peer,
            address=self._listener.addresses[0],
            hint=f"this port takes plain text: turn TLS off in the sender, or {self.TLS_MEND}",
        )
        self.transport.abort()


class StreamConnection(Connection):
    """A connection with a framer: feed it, collect, hand over.

    Args:
        listener: whose it is.
        make_framer: gives a framer.
        take_frames: takes the frames of one read and their peer.
    """

    def __init__(
        self,
        listener: "StreamListener",
        *,
        make_framer: Callable[[], Framer],
        take_frames: Callable[[Frames, str], object],
    ) -> None:
        super().__init__(listener)
        self._framer = make_framer()
        self._take_frames = take_frames

    def take(self, data: bytes) -> None:
        """Frame what came and hand it down."""
        self._hand_down(self._framer.receive_data(data))

    def take_rest(self) -> None:
        """Hand down a last frame without its end."""
        self._hand_down(self._framer.receive_eof())

    def _hand_down(self, frames: Frames) -> None:
        for reason, count in frames.faults.items():
            self._listener.metrics.fault(reason, count)
        if frames.frames:
            self._take_frames(frames, self.peer)
