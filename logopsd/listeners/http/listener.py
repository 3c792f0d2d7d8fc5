"""HTTP/1.1 on one address: accepts connections, and watches over their time and number."""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import HTTP_CODES, InputMetrics
from logopsd.listeners import sockets
from logopsd.listeners.access import Access
from logopsd.listeners.gate import Gate
from logopsd.listeners.http.connection import HttpConnection
from logopsd.listeners.http.messages import Check, Routes
from logopsd.listeners.http.service import Limits, Service, by_path

SWEEP_SECONDS = 1.0
"""How often it is seen who waits for too long. One timer for all connections, as one for each
would have to be set anew with every request."""

BACKLOG = 1024
"""Connections the kernel may hold until they are accepted; more than a burst of senders."""


class HttpListener:
    """Listens on one address and serves a table of routes.

    Args:
        name: `http` or `metrics`, in the log.
        host: address or name to bind to.
        port: 0 lets the kernel choose.
        routes: what is served.
        metrics: its `connections` is kept; None where nobody counts them.
        responses: code -> how many answers; the keys are the codes that may be answered.
        log: told of failures of ours, never of a client's.
        limits: what a client may ask for.
        authorize: refuses who may not send; asked for every POST. None where all may.
        access: who may connect; None for everyone.
        sock: an inherited, bound socket to use in place of host and port.
        setting: the name of the setting that holds the port, for the text of an error.
        bind_setting: the same for the host.
        clock: seconds, monotonic.

    Attributes:
        input: the name.
        addresses: as `http://127.0.0.1:8080`, once started.
    """

    def __init__(
        self,
        *,
        name: str,
        routes: Routes,
        host: str = "127.0.0.1",
        port: int = 0,
        log: FilteringBoundLogger,
        metrics: InputMetrics | None = None,
        responses: dict[int, int] | None = None,
        limits: Limits | None = None,
        authorize: Check | None = None,
        access: Access | None = None,
        sock: socket.socket | None = None,
        setting: str = "LOGOPS_HTTP_PORT",
        bind_setting: str = "LOGOPS_BIND",
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self.input = name
        self.addresses: list[str] = []
        self._sock = sock
        self._bind = partial(
            sockets.bind,
            socket.SOCK_STREAM,
            host,
            port,
            setting=setting,
            bind_setting=bind_setting,
        )
        self._clock = clock
        self._metrics = InputMetrics(name) if metrics is None else metrics
        self._service = Service(
            routes=by_path(routes),
            limits=Limits() if limits is None else limits,
            authorize=authorize,
            log=log,
            responses=dict.fromkeys(HTTP_CODES, 0) if responses is None else responses,
        )
        self._gate: Gate | None = None
        if access is not None:
            self._gate = Gate(
                access=access, make=self._connection_of, metrics=self._metrics, log=log, input=name
            )
        self._connections: set[HttpConnection] = set()
        self._server: asyncio.Server | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._all_gone = asyncio.Event()

    async def start(self) -> None:
        """Listen.

        Raises:
            ListenError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        sock = self._sock
        if sock is None:
            sock = await self._bind()
        make = self._connection if self._gate is None else self._gate.newcomer
        self._server = await loop.create_server(make, sock=sock, backlog=BACKLOG)
        self.addresses = [sockets.address_of("http", sock)]
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)

    def replace_routes(self, routes: Routes) -> None:
        """Serve other routes from the next request on; those under way keep theirs."""
        self._service.replace_routes(routes)

    def pause(self) -> None:
        """Answer 503 to what would have to be stored; the sink is full."""
        self._set_paused(True)

    def resume(self) -> None:
        """Take requests again."""
        self._set_paused(False)

    def stop_accepting(self) -> None:
        """Take no more connections, close the idle ones, end the others with their answers."""
        self._service.draining = True
        if self._server is not None:
            self._server.close()
        if self._gate is not None:
            self._gate.close()
        for connection in list(self._connections):
            connection.drain()

    async def close(self) -> None:
        """Wait for the answers to requests under way, for a bounded time, and close."""
        self.stop_accepting()
        try:
            async with asyncio.timeout(self._service.limits.close_seconds):
                await self._wait_until_gone()
        except TimeoutError:
            pass
        finally:
            if self._sweeper is not None:
                self._sweeper.cancel()
            for connection in list(self._connections):
                connection.abort()
        await self._wait_until_gone()

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._service, on_open=self._opened, on_close=self._closed)

    def _connection_of(self, peer: str) -> HttpConnection:
        connection = self._connection()
        connection.peer = peer
        return connection

    def _opened(self, connection: HttpConnection) -> bool:
        if len(self._connections) >= self._service.limits.max_connections:
            return False
        self._connections.add(connection)
        self._metrics.connections += 1
        return True

    def _closed(self, connection: HttpConnection) -> None:
        if self._gate is not None:
            self._gate.left(connection.peer)
        if connection not in self._connections:  # it was turned away
            return
        self._connections.remove(connection)
        self._metrics.connections -= 1
        if not self._connections:
            self._all_gone.set()

    async def _wait_until_gone(self) -> None:
        while self._connections:
            self._all_gone.clear()
            await self._all_gone.wait()

    def _set_paused(self, paused: bool) -> None:
        self._service.paused = paused
        for connection in list(self._connections):
            connection.refresh()

    def _sweep(self) -> None:
        self._sweeper = asyncio.get_running_loop().call_later(SWEEP_SECONDS, self._sweep)
        self.check_times()

    def check_times(self) -> None:
        """Let each connection see whether it waits for too long."""
        now = self._clock()
        for connection in list(self._connections):
            connection.look_at_time(now)
