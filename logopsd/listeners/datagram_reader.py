"""How the datagrams of a socket are read: many with one call, where that is compiled, or singly.

Either way they come without the delimiters that some senders put at their end.
"""

import errno
import socket
from typing import TYPE_CHECKING, Protocol

from logopsd import compiled
from logopsd.listeners import sockets

if TYPE_CHECKING:
    from collections.abc import Callable

_TRAILERS = b"\r\n\0"


class DatagramReader(Protocol):
    """Reads the datagrams of a socket."""

    def read(self, most: int) -> tuple[list[bytes], list[str], int]:
        """Read what the kernel holds, `most` at most, without waiting.

        Returns:
            The datagrams without CR, LF and NUL at their ends, the peer of each, and the number of
            the error that came behind them, 0 for none; EAGAIN tells no more than that it is all.
        """


class PlainReader:
    """One call of the kernel for each.

    Args:
        sock: not blocking.
        size: the most bytes of a datagram; a longer one is cut there.
    """

    def __init__(self, sock: socket.socket, size: int) -> None:
        self._receive: Callable[[int], tuple[bytes, object]] = sock.recvfrom
        self._size = size

    def read(self, most: int) -> tuple[list[bytes], list[str], int]:
        """See DatagramReader."""
        datagrams: list[bytes] = []
        peers: list[str] = []
        try:
            for _ in range(most):
                datagram, sender = self._receive(self._size)
                datagrams.append(datagram.rstrip(_TRAILERS))
                peers.append(sockets.peer_of(sender))
        except OSError as error:
            return datagrams, peers, error.errno or errno.EIO
        return datagrams, peers, 0


def make_reader(sock: socket.socket, size: int) -> DatagramReader:
    """Make the reader of a socket; see PlainReader for the arguments."""
    if compiled.DatagramReader is not None:
        return compiled.DatagramReader(sock.fileno(), size)
    return PlainReader(sock, size)
