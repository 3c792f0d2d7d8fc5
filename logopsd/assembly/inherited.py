"""Sockets that systemd opened for the daemon, given out to the inputs by their name.

The name is FileDescriptorName= of the socket unit: that of an input, `metrics`, or `syslog` for a
unit that holds several kinds; what a socket of that name is for is then told by its kind alone.
"""

import os
import socket
from collections.abc import Callable, Mapping

from structlog.typing import FilteringBoundLogger

SYSLOG = "syslog"
"""Datagrams go to `udp`, streams to `tcp`, Unix sockets to `unix`."""

STORED = "stored-"
"""Begins the names of sockets that we gave to the service manager to keep (FDSTORE=1)."""

_STREAM, _DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
_INTERNET = (socket.AF_INET, socket.AF_INET6)

KINDS: Mapping[str, tuple[socket.SocketKind, ...]] = {
    "udp": (_DATAGRAM,),
    "tcp": (_STREAM,),
    "tls": (_STREAM,),
    "relp": (_STREAM,),
    "http": (_STREAM,),
    "metrics": (_STREAM,),
    "unix": (_DATAGRAM, _STREAM),
}
"""What a socket of each name must be."""


class Inherited:
    """What was handed over and is not yet taken.

    Args:
        found: name -> sockets, from `systemd.inherited_sockets`.
        log: told of what nobody took.
    """

    def __init__(self, found: Mapping[str, list[socket.socket]], log: FilteringBoundLogger) -> None:
        self._left = [(name, sock) for name, socks in found.items() for sock in socks]
        self._log = log

    def take(self, input: str) -> list[socket.socket]:
        """Give the sockets for an input (or for `metrics`), in order; each is given once."""
        taken = [sock for name, sock in self._left if _serves(name, sock) == input]
        self._left = [(name, sock) for name, sock in self._left if sock not in taken]
        return taken

    def take_stored(
        self, input: str, wanted: Callable[[socket.socket], bool]
    ) -> socket.socket | None:
        """Give a socket of an input that the service manager kept over the restart.

        Args:
            input: its name.
            wanted: whether a socket listens where the settings say; they may have changed.
        """
        for place in self._left:
            name, sock = place
            if name == STORED + input and _fits(input, sock) and wanted(sock):
                self._left.remove(place)
                return sock
        return None

    def close_rest(self, unstore: Callable[[str], None]) -> None:
        """Close what nobody took: whoever sends there should get an error, and not silence.

        Args:
            unstore: has the service manager forget what it keeps under a name.
        """
        for name, sock in self._left:
            with sock:
                if name.startswith(STORED):  # from before the settings changed
                    unstore(name)
                    continue
                self._log.warning(
                    "inherited socket not used",
                    name=name,
                    type=sock.type.name,
                    hint=f"FileDescriptorName= takes {', '.join(KINDS)} (each of its own kind) "
                    f"or {SYSLOG}",
                )
        self._left.clear()


def _serves(name: str, sock: socket.socket) -> str | None:
    """The input that a socket of this name is for; None where there is none."""
    if name == SYSLOG:
        if sock.family == socket.AF_UNIX:
            name = "unix"
        else:
            name = "udp" if sock.type == _DATAGRAM else "tcp"
    return name if _fits(name, sock) else None


def _fits(name: str, sock: socket.socket) -> bool:
    """Whether a socket is of the kind that its name asks for."""
    if sock.type not in KINDS.get(name, ()):
        return False
    if name == "unix":
        return sock.family == socket.AF_UNIX
    # HTTP is as well served behind a proxy's Unix socket; a syslog peer there is of input unix.
    return sock.family in _INTERNET or name in ("http", "metrics")


def bound_to(sock: socket.socket, host: str, port: int) -> bool:
    """Whether an internet socket is bound to an address (no name) and a port; 0 stands for any."""
    name = sock.getsockname()
    return bool(name[0] == host and port in (0, name[1]))


def bound_to_path(sock: socket.socket, path: str) -> bool:
    """Whether a Unix socket has this path, and the path still leads to it."""
    return os.fsdecode(sock.getsockname()) == path and os.path.exists(path)
