"""Sockets opened once for all workers, and kept open while a worker is started again.

An internet socket is bound once for each worker (SO_REUSEPORT, socket(7)): the kernel deals
datagrams out by the sender's address and port, and connections likewise, and no worker wakes for
another's. What a Unix socket or a socket of systemd's brings goes to whoever is first.

All are held here as well. So a worker that died leaves its datagrams and its backlog to the next
one, and no sender is refused meanwhile.
"""

import os
import socket
from collections.abc import Callable, Iterator
from functools import partial

from logopsd.assembly.inherited import STORED, Inherited, bound_to, bound_to_path
from logopsd.config import Settings
from logopsd.errors import ListenError
from logopsd.listeners import sockets
from logopsd.workers.messages import MAX_FDS

_STREAM, _DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM

PORTS = {
    "udp": _DATAGRAM,
    "tcp": _STREAM,
    "tls": _STREAM,
    "relp": _STREAM,
    "http": _STREAM,
}
"""The inputs that have a port."""

Named = tuple[str, socket.socket]


class SharedSockets:
    """All sockets of all workers.

    Args:
        settings: say where to listen.
        count: of the workers.
        inherited: sockets that systemd opened; they go before the settings.
    """

    def __init__(self, settings: Settings, count: int, inherited: Inherited) -> None:
        self._settings = settings
        self._count = count
        self._inherited = inherited
        self._each: list[list[Named]] = [[] for _ in range(count)]
        self._all: list[Named] = []
        self._paths: list[str] = []
        self._to_keep: list[Named] = []
        self._drops_seen: dict[socket.socket, int] = {}

    async def open(self) -> None:
        """Bind everything.

        Raises:
            ListenError: an address cannot be had; the text names the mend.
        """
        for input, kind in PORTS.items():
            found = self._inherited.take(input)
            port: int | None = getattr(self._settings, f"{input}_port")
            self._all += [(input, sock) for sock in found]
            if not found and port is not None:
                await self._bind(input, kind, port)
        self._open_unix()
        if len(self._all) + len(self._each[0]) > MAX_FDS:
            raise ListenError(
                f"more than {MAX_FDS} sockets: set LOGOPS_WORKERS=1, or hand over fewer"
            )
        udp = [sock for input, sock in self._everything() if input == "udp"]
        self._drops_seen = dict.fromkeys(udp, 0)

    def of(self, number: int) -> list[Named]:
        """Return the sockets of a worker, by its number from 1, with their names."""
        return self._each[number - 1] + self._all

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Yield each input and where it listens, as a URL."""
        for input, sock in self.of(1):
            scheme = input
            if sock.family == socket.AF_UNIX:
                scheme = "unixgram" if sock.type == _DATAGRAM else "unix"
            yield input, sockets.address_of(scheme, sock)

    def drops(self) -> int:
        """Return how many datagrams the kernel dropped for want of room since this was asked."""
        total = 0
        for sock, seen in self._drops_seen.items():
            now = sockets.kernel_drops(sock)
            self._drops_seen[sock] = now
            total += (now - seen) & 0xFFFFFFFF
        return total

    def keep(self, store: Callable[[str, socket.socket], None]) -> None:
        """Have the datagram sockets of ours kept by somebody who outlives us."""
        for input, sock in self._to_keep:
            store(STORED + input, sock)
            if sock.family == socket.AF_UNIX:
                self._paths.remove(os.fsdecode(sock.getsockname()))

    def release(self) -> None:
        """Leave the sockets to the workers alone, so that nothing more waits once they close."""
        self._drops_seen.clear()
        for _, sock in self._everything():
            sock.close()

    def remove_paths(self) -> None:
        """Remove the names of Unix sockets of ours."""
        for path in self._paths:
            sockets.unlink(path)

    def _everything(self) -> Iterator[Named]:
        yield from self._all
        for named in self._each:
            yield from named

    async def _bind(self, input: str, kind: socket.SocketKind, port: int) -> None:
        """Bind one socket for each worker to a port."""
        bind = partial(
            sockets.bind,
            kind,
            setting=f"LOGOPS_{input.upper()}_PORT",
            bind_setting="LOGOPS_BIND",
        )
        bound = self._stored(input, port) if input == "udp" else []
        # The first without sharing: with it, a second daemon of the same user would be let in.
        bound = bound or [await bind(self._settings.bind, port)]
        for sock in bound:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        host, port = bound[0].getsockname()[:2]
        while len(bound) < self._count:
            bound.append(await bind(host, port, share=True))
        for named, sock in zip(self._each, bound, strict=True):
            named.append((input, sock))
        if input == "udp":
            self._to_keep += [(input, sock) for sock in bound]

    def _stored(self, input: str, port: int) -> list[socket.socket]:
        """The sockets that the service manager kept over a restart, one a worker at most."""
        wanted = partial(bound_to, host=self._settings.bind, port=port)
        found: list[socket.socket] = []
        while len(found) < self._count:
            sock = self._inherited.take_stored(input, wanted)
            if sock is None:
                break
            found.append(sock)
        return found

    def _open_unix(self) -> None:
        found = self._inherited.take("unix")
        self._all += [("unix", sock) for sock in found]
        kinds = {sock.type for sock in found}
        for attribute, kind in (("unix_dgram", _DATAGRAM), ("unix_stream", _STREAM)):
            path = getattr(self._settings, attribute)
            if path is None or kind in kinds:
                continue
            sock = None
            if kind == _DATAGRAM:
                wanted = partial(bound_to_path, path=str(path))
                sock = self._inherited.take_stored("unix", wanted)
            if sock is None:
                setting = f"LOGOPS_{attribute.upper()}"
                sock = sockets.bind_path(kind, str(path), setting=setting)
            self._paths.append(str(path))
            self._all.append(("unix", sock))
            if kind == _DATAGRAM:
                self._to_keep.append(("unix", sock))
