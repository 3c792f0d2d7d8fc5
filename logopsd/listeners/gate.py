"""What stands before the connections of a listener: who may enter, and for whom a proxy speaks.

A newcomer is the first protocol of each connection. It decides when the connection is made, or
when the header of a proxy has come, and then leaves its place to the protocol that serves the
peer: the data that follows does not pass through here.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Final, cast

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.framing.proxy_protocol import read_header
from logopsd.listeners import sockets
from logopsd.listeners.access import Access
from logopsd.listeners.reading import ReadingProtocol
from logopsd.listeners.throttle import ThrottledWarnings

HEADER_SECONDS: Final = 5.0
"""How long a proxy may take for its header; it is the first thing it sends."""

MAX_HEADER: Final = 4096
"""The longest header read, bytes: addresses, and what proxies add of TLS clients."""

_HINTS: Final = {
    "address": "add it to LOGOPS_ALLOW_FROM if it may send",
    "limit": "raise LOGOPS_MAX_CONNECTIONS, and LimitNOFILE= with it",
    "peer_limit": "raise LOGOPS_MAX_CONNECTIONS_PER_PEER",
    "proxy": "turn the PROXY protocol on in the proxy, or remove it from LOGOPS_PROXY_FROM",
}


class Gate:
    """The gate of one listener.

    Args:
        access: decides, and counts the connections of all listeners.
        make: makes the protocol that serves a peer, given its address.
        metrics: the figures of the input; counts here who was refused.
        log: told of them, throttled.
        input: one of records.INPUTS.
        proxied: whether a proxy's header may stand before everything else; behind TLS it cannot.
    """

    def __init__(
        self,
        *,
        access: Access,
        make: Callable[[str], ReadingProtocol],
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        input: str,
        proxied: bool = True,
    ) -> None:
        self.access = access
        self.make = make
        self.proxied = proxied
        self.waiting: set[Newcomer] = set()
        self._metrics = metrics
        self._warn = ThrottledWarnings(log, time.monotonic, input=input).warn

    def newcomer(self) -> ReadingProtocol:
        """Make the first protocol of a connection."""
        return Newcomer(self)

    def admit(self, peer: str) -> bool:
        """Let a peer enter for whom no proxy can speak, or count and tell that it may not."""
        reason = self.access.enter(peer)
        if reason is not None:
            self.refuse(reason, peer)
        return reason is None

    def admits(self, peer: str) -> bool:
        """Whether a peer may come in at all, before anything else is done for it."""
        if self.access.allows(peer):
            return True
        self.refuse("address", peer)
        return False

    def left(self, peer: str) -> None:
        """Count that the connection of a peer for whom a protocol was made is gone."""
        self.access.leave(peer)

    def close(self) -> None:
        """Part from those that have not said yet for whom they speak."""
        for newcomer in list(self.waiting):
            newcomer.abort()

    def refuse(self, reason: str, peer: str) -> None:
        """Count and tell that a connection was not taken."""
        self._metrics.refuse(reason)
        self._warn("connection refused", reason=reason, peer=peer, hint=_HINTS[reason])


class Newcomer(ReadingProtocol):
    """A connection of which it is not known yet whether it may enter."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._data = b""
        self._proxy = ""
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let the peer in, refuse it, or wait for the header of a proxy."""
        self._transport = cast(asyncio.Transport, transport)
        peer = sockets.peer_of(transport.get_extra_info("peername"))
        gate = self._gate
        if not (gate.proxied and gate.access.is_proxy(peer)):
            self._enter(peer, b"")
        elif (reason := gate.access.enter(peer, proxy=True)) is not None:
            self._refuse(reason, peer)
        else:
            self._proxy = peer
            gate.waiting.add(self)
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(HEADER_SECONDS, self._refuse_header)

    def data_received(self, data: bytes) -> None:
        """Take a piece of the header, and what stands behind it."""
        if not self._proxy:  # refused, and about to be closed
            return
        self._data += data
        header = read_header(self._data)
        if header == "incomplete" and len(self._data) <= MAX_HEADER:
            return
        if isinstance(header, str):
            self._refuse_header()
            return
        proxy = self._settle()
        rest = self._data[header.length :]
        # Without a source the proxy speaks for itself, and is a peer as any other.
        self._enter(header.source or proxy, rest)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a proxy that left before it had said for whom it speaks, as health checks do."""
        if self._proxy:
            self._settle()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def _settle(self) -> str:
        """Wait no more; whose connection it was so far."""
        proxy, self._proxy = self._proxy, ""
        assert self._timer is not None
        self._timer.cancel()
        self._gate.waiting.discard(self)
        self._gate.access.leave(proxy)
        return proxy

    def _enter(self, peer: str, rest: bytes) -> None:
        reason = self._gate.access.enter(peer)
        if reason is not None:
            self._refuse(reason, peer)
            return
        protocol = self._gate.make(peer)
        self._transport.set_protocol(protocol)
        protocol.connection_made(self._transport)
        if rest:
            protocol.data_received(rest)

    def _refuse_header(self) -> None:
        self._refuse("proxy", self._settle())

    def _refuse(self, reason: str, peer: str) -> None:
        self._gate.refuse(reason, peer)
        self._transport.abort()
