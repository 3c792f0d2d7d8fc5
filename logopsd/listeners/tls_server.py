"""Accepts TLS connections; asyncio's own server does so for plain ones.

That server would keep the context it was started with, and says nothing of a failed handshake.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

from logopsd.listeners import sockets
from logopsd.listeners.stream_connection import Connection
from logopsd.listeners.tls import Certificates

MAX_HANDSHAKES = 1024
"""Handshakes under way: who does not end his holds some 100 KiB until HANDSHAKE_TIMEOUT; more wait
in the kernel's queue."""

HANDSHAKE_TIMEOUT = 10.0
"""How long a peer may take for the handshake, seconds: a few round trips on the worst of lines."""

SHUTDOWN_TIMEOUT = 5.0
"""How long a peer may take to answer our close_notify, seconds."""

ACCEPT_BURST = 64
"""Connections accepted in one go, so that the others are served meanwhile."""

RETRY_SECONDS = 1.0
"""How long to wait where there are no more descriptors."""

_EXHAUSTED = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_HINTS = {
    "WRONG_VERSION_NUMBER": "the sender speaks no TLS: turn it on there",
    "HTTP_REQUEST": "the sender speaks plain HTTP",
    "PEER_DID_NOT_RETURN_A_CERTIFICATE": "give the sender a certificate that the CA in "
    "LOGOPS_TLS_CLIENT_CA signed",
    "CERTIFICATE_VERIFY_FAILED": "its certificate is not signed by a CA in LOGOPS_TLS_CLIENT_CA, "
    "or has expired",
    "TLSV1_ALERT_UNKNOWN_CA": "the sender does not know the CA of our certificate",
    "UNSUPPORTED_PROTOCOL": "the sender is too old for TLS 1.2",
}


class TlsServer:
    """Accepts connections of one socket, and brings them through the handshake.

    Args:
        sock: bound, non-blocking.
        certificates: each connection takes those of its moment.
        admit: whether a peer may enter at all, before a byte of it is read; None for everyone.
        make_connection: for a peer, who is admitted.
        refused: told of each of these connections whose handshake failed.
        warn: logs, throttled.
        admits: whether a peer may connect at all, asked before the handshake, which costs more
            than everything else; it counts and tells refusals itself.
    """

    def __init__(
        self,
        *,
        sock: socket.socket,
        certificates: Certificates,
        admit: Callable[[str], bool] | None,
        make_connection: Callable[[str], Connection],
        refused: Callable[[Connection], None],
        warn: Callable[..., None],
        admits: Callable[[str], bool],
    ) -> None:
        self._sock = sock
        self._admits = admits
        self._certificates = certificates
        self._admit = admit
        self._make_connection = make_connection
        self._refused = refused
        self._warn = warn
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = False
        self._closed = False

    def start(self, backlog: int) -> None:
        """Begin to accept."""
        self._sock.listen(backlog)
        self._go_on()

    def close(self) -> None:
        """Accept no more, and close the socket; handshakes under way go on."""
        self._closed = True
        self._hold()
        self._sock.close()

    def adopt(self, sock: socket.socket) -> None:
        """Take a connection that was accepted elsewhere."""
        sock.setblocking(False)
        try:
            peer = sockets.peer_of(sock.getpeername())
        except OSError:  # gone again
            sock.close()
            return
        if self._admit is not None and not self._admit(peer):
            sock.close()
            return
        task = self._loop.create_task(self._shake_hands(sock, self._make_connection(peer)))
        self._handshakes.add(task)
        task.add_done_callback(self._ended)

    async def settle(self, seconds: float) -> None:
        """Give the handshakes under way some seconds, and end those that need more."""
        if self._handshakes:
            _, late = await asyncio.wait(self._handshakes, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _go_on(self) -> None:
        if not self._closed and not self._accepting:
            self._accepting = True
            self._loop.add_reader(self._sock, self._accept)

    def _hold(self) -> None:
        if self._accepting:
            self._accepting = False
            self._loop.remove_reader(self._sock)

    def _accept(self) -> None:
        for _ in range(ACCEPT_BURST):
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._warn("cannot accept", reason=error.strerror, hint="raise LimitNOFILE=")
                self._hold()
                self._loop.call_later(RETRY_SECONDS, self._go_on)
                return
            if not self._admits(sockets.peer_of(address)):
                sock.close()
                continue
            self.adopt(sock)
            if len(self._handshakes) >= MAX_HANDSHAKES:
                self._hold()
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        if len(self._handshakes) == MAX_HANDSHAKES - 1:
            self._go_on()

    async def _shake_hands(self, sock: socket.socket, connection: Connection) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=self._certificates.loaded.context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
            )
        except ssl.SSLError as error:
            self._tell(connection, error.reason or "failed", **_more(error))
        except ConnectionAbortedError:  # how asyncio says that it took too long
            self._tell(connection, "timeout")
        except (OSError, asyncio.CancelledError):
            sock.close()  # gone again: a probe of the port, or a sender that gave up, or we stop
        if not connection.made:
            self._refused(connection)

    def _tell(self, connection: Connection, reason: str, **more: str) -> None:
        self._warn("TLS handshake failed", peer=connection.peer, reason=reason, **more)


def _more(error: ssl.SSLError) -> dict[str, str]:
    """What else is to be said of a failure, in words of OpenSSL and of ours, none of the peer's."""
    more = {}
    if isinstance(error, ssl.SSLCertVerificationError):
        more["detail"] = error.verify_message
    if hint := _HINTS.get(error.reason or ""):
        more["hint"] = hint
    return more
