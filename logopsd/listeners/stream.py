"""Streams, a framer a connection: TCP (RFC 6587), Unix stream sockets, and TLS where asked.

A protocol a connection, not a StreamReader: a read goes through the whole pipeline in
line, so there is no task and no second buffer between the socket and the sink.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from structlog.typing import FilteringBoundLogger

from logopsd.errors import ListenError
from logopsd.figures.metrics import InputMetrics
from logopsd.listeners import sockets
from logopsd.listeners.access import Access
from logopsd.listeners.gate import Gate
from logopsd.listeners.reading import ReadingProtocol
from logopsd.listeners.stream_connection import Connection
from logopsd.listeners.throttle import ThrottledWarnings

if TYPE_CHECKING:
    from logopsd.listeners.tls import Certificates
    from logopsd.listeners.tls_server import TlsServer

BACKLOG = 1024
"""Connections that may wait to be accepted: all senders return at once after a restart."""

READ_OUT_TIMEOUT = 1.5
"""How long closing waits for what peers had already sent, seconds."""

CLOSE_TIMEOUT = 0.5
"""How long closing waits for peers to take the goodbye before they are cut off, seconds."""

POLL_INTERVAL = 0.001
"""How often closing looks whether all has been read, seconds."""

KEEPALIVE_IDLE = 300
"""Silence after which the kernel asks whether a peer is still there, seconds."""


class StreamListener:
    """Accepts connections and looks after them; what they bring they hand down themselves.

    Args:
        input: one of records.INPUTS.
        new_connection: makes what serves a new peer.
        metrics: the figures of the input; counts here connections and faults.
        log: the daemon's own log.
        host: address or name to bind to.
        port: 0 lets the kernel choose.
        path: a Unix socket instead of host and port.
        sock: an inherited, bound socket instead of either.
        tls: TLS with these certificates.
        access: who may connect; None for everyone.
        idle_timeout: a connection silent for so long is closed, seconds; 0 for never.
        max_segment: bytes of a TCP segment that peers may send, where the path takes more; 0 for
            what it takes.
        setting: the name of the setting that holds the port or path, for the text of errors.
        bind_setting: the same for the host.

    Attributes:
        input: as given.
        addresses: where it listens, as URLs, once started.
    """

    def __init__(
        self,
        *,
        input: str,
        new_connection: Callable[["StreamListener"], Connection],
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str | None = None,
        sock: socket.socket | None = None,
        tls: "Certificates | None" = None,
        access: Access | None = None,
        idle_timeout: float = 0.0,
        max_segment: int = 0,
        setting: str | None = None,
        bind_setting: str = "LOGOPS_BIND",
    ) -> None:
        self.input = input
        self.addresses: list[str] = []
        self._new_connection = partial(new_connection, self)
        self._gate: Gate | None = None
        self._make_protocol: Callable[[], ReadingProtocol] = self._new_connection
        if access is not None:
            self._gate = Gate(
                access=access,
                make=self._connection_of,
                metrics=metrics,
                log=log,
                input=input,
                proxied=tls is None,
            )
            self._make_protocol = self._gate.newcomer
        self.metrics = metrics
        self.paused = False
        self.tls = tls
        self._log = log
        self._host = host
        self._port = port
        self._path = path
        self._sock = sock
        self._idle_timeout = idle_timeout
        self._max_segment = max_segment
        self._setting = setting or f"LOGOPS_{input.upper()}_PORT"
        self._bind_setting = bind_setting
        self._server: asyncio.Server | TlsServer | None = None
        self._connections: set[Connection] = set()
        self._tls_server: TlsServer | None = None
        self._accepted_last: list[socket.socket] = []
        self.warn = ThrottledWarnings(log, time.monotonic, input=input).warn
        self._idle_timer: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Bind and begin to accept.

        Raises:
            ListenError: the address cannot be had; the text names the mend.
        """
        if self._sock is None:
            self._sock = await self._bind()
        sock = self._sock
        sock.setblocking(False)
        unix = sock.family == socket.AF_UNIX
        if not unix:  # the connections inherit it
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
            if self._max_segment:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, self._max_segment)
        self.addresses = [sockets.address_of("unix" if unix else self.input, sock)]
        try:
            if self.tls is None:
                self._server = await asyncio.get_running_loop().create_server(
                    self._make_protocol, sock=sock, backlog=BACKLOG
                )
            else:
                # Where the settings ask for TLS; plain TCP is ready without it.
                from logopsd.listeners.tls_server import TlsServer

                self._server = self._tls_server = TlsServer(
                    sock=sock,
                    certificates=self.tls,
                    admit=self._gate.admit if self._gate is not None else None,
                    make_connection=self._connection_of,
                    refused=self._handshake_failed,
                    warn=self.warn,
                    admits=self._admits,
                )
                self._server.start(BACKLOG)
        except OSError as error:
            sock.close()
            where = self.addresses[0]
            raise ListenError(f"{where}: {error.strerror}: change {self._setting}") from error
        self._watch_idle()

    def pause(self) -> None:
        """Stop reading; the peers' windows fill up, and they wait."""
        self.paused = True
        for connection in self._connections:
            connection.transport.pause_reading()

    def resume(self) -> None:
        """Read again."""
        self.paused = False
        for connection in self._connections:
            connection.resume()

    def stop_accepting(self) -> None:
        """Take no new connections; those that the kernel has accepted for us are ours still."""
        if self._server is None:
            return
        assert self._sock is not None
        try:
            while True:
                self._accepted_last.append(self._sock.accept()[0])
        except OSError:
            pass
        self._server.close()
        self._server = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        if self._path is not None:
            sockets.unlink(self._path)

    async def close(self) -> None:
        """Read out what peers had sent by now, hand it down, say goodbye, bounded in time."""
        self.stop_accepting()
        await self._adopt_accepted()
        if self._gate is not None:
            self._gate.close()
        for connection in self._connections:
            connection.close_soon()
        await self._read_out()
        unread = sum(connection.unread() > 0 for connection in self._connections)
        if unread:
            self._log.warning("closed with data unread", input=self.input, connections=unread)
        for connection in list(self._connections):
            connection.goodbye()
        if not await self._until(lambda: not self._connections, CLOSE_TIMEOUT):
            for connection in list(self._connections):
                connection.transport.abort()
            await self._until(lambda: not self._connections, CLOSE_TIMEOUT)

    # What the connections need of the listener.

    def opened(self, connection: Connection) -> None:
        """Count a new connection."""
        self._connections.add(connection)
        self.metrics.connections += 1

    def closed(self, connection: Connection) -> None:
        """Count a connection that ended, also one that had not been counted as opened."""
        if self._gate is not None:
            self._gate.left(connection.peer)
        if connection in self._connections:
            self._connections.remove(connection)
            self.metrics.connections -= 1

    # The listener's own.

    def _admits(self, peer: str) -> bool:
        return self._gate is None or self._gate.admits(peer)

    def _connection_of(self, peer: str) -> Connection:
        connection = self._new_connection()
        connection.peer = peer
        return connection

    def _handshake_failed(self, connection: Connection) -> None:
        self.metrics.refuse("handshake")
        self.closed(connection)

    async def _bind(self) -> socket.socket:
        kind = socket.SOCK_STREAM
        if self._path is not None:
            return sockets.bind_path(kind, self._path, setting=self._setting)
        return await sockets.bind(
            kind,
            self._host,
            self._port,
            setting=self._setting,
            bind_setting=self._bind_setting,
        )

    def set_idle_timeout(self, seconds: float) -> None:
        """Close from now on who is silent for so long; 0 for nobody."""
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        self._idle_timeout = seconds
        if self._server is not None:
            self._watch_idle()

    def _watch_idle(self) -> None:
        """Close who was silent for too long; while we do not listen, nobody is silent."""
        if not self._idle_timeout:
            return
        loop = asyncio.get_running_loop()
        if not self.paused:
            for connection in list(self._connections):
                if loop.time() - connection.last_read >= self._idle_timeout:
                    connection.goodbye()
        self._idle_timer = loop.call_later(self._idle_timeout / 4, self._watch_idle)

    async def _adopt_accepted(self) -> None:
        """Make connections of those that the kernel had accepted when we stopped."""
        waiting, self._accepted_last = self._accepted_last, []
        if self._tls_server is None:
            await asyncio.gather(*map(self._adopt, waiting))
            return
        for sock in waiting:
            self._tls_server.adopt(sock)
        await self._tls_server.settle(READ_OUT_TIMEOUT)

    async def _adopt(self, sock: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(self._make_protocol, sock)
        except OSError:  # gone again
            sock.close()

    async def _read_out(self) -> None:
        """Read until nothing is left, what the peers' own buffers held with it."""
        await self._until(
            lambda: not any(connection.owes() for connection in self._connections),
            READ_OUT_TIMEOUT,
        )

    async def _until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Let the loop read until something is so; whether it became so in time."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not done():
            if loop.time() >= deadline:
                return False
            # Nothing signals this; meanwhile the loop reads as fast as it can.
            await asyncio.sleep(POLL_INTERVAL)
        return True
