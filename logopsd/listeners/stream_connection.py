"""One connection of a StreamListener: feed the framer, collect, hand over."""

import asyncio
import fcntl
import struct
import termios
from typing import TYPE_CHECKING, Protocol, cast

from logopsd.listeners import sockets
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


class StreamConnection(asyncio.Protocol):
    """One peer of a stream listener.

    Args:
        listener: whose it is.

    Attributes:
        transport: once the connection is made.
        last_read: when something last came, by the clock of the loop, seconds.
    """

    def __init__(self, listener: "StreamListener") -> None:
        self._listener = listener
        self._framer = listener.make_framer()
        self._peer = ""
        self._finished = False
        self._first = True
        self.last_read = asyncio.get_running_loop().time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, unless there is no room."""
        self.transport = cast(asyncio.Transport, transport)
        self._peer = sockets.peer_of(transport.get_extra_info("peername"))
        if not self._listener.opened(self):
            self._finished = True
            self.transport.abort()
        elif self._listener.paused:
            self.transport.pause_reading()

    def data_received(self, data: bytes) -> None:
        """Frame what came and hand it down."""
        listener = self._listener
        if self._first:
            self._first = False
            if _TLS_HANDSHAKE.startswith(data[:2]) and listener.tls is None:
                self._refuse_tls()
        if self._finished:
            return
        self.last_read = asyncio.get_running_loop().time()
        self._hand_down(self._framer.receive_data(data))

    def eof_received(self) -> None:
        """End, as the peer has; the transport then closes."""
        self.finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whether the peer ended or was torn down."""
        self.finish()
        self._listener.closed(self)

    def finish(self) -> None:
        """Hand down what remains; nothing is taken after this."""
        if not self._finished:
            self._finished = True
            self._hand_down(self._framer.receive_eof())

    def owes(self) -> bool:
        """Whether something that has arrived is still to be read."""
        return not self._finished and self.unread() > 0

    def unread(self) -> int:
        """How many bytes the kernel holds of this connection."""
        sock = self.transport.get_extra_info("socket")
        try:
            held = fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4))
        except (OSError, ValueError):  # closed meanwhile
            return 0
        return int(struct.unpack("i", held)[0])

    def _hand_down(self, frames: Frames) -> None:
        for reason, count in frames.faults.items():
            self._listener.metrics.fault(reason, count)
        if frames.frames:
            self._listener.take_frames(frames, self._peer)

    def _refuse_tls(self) -> None:
        self._finished = True
        self._listener.warn(
            "TLS on a plain port",
            peer=self._peer,
            address=self._listener.addresses[0],
            hint="this port takes plain text: turn TLS off in the sender, or point it at the "
            "TLS input (LOGOPS_TLS_PORT)",
        )
        self.transport.abort()
