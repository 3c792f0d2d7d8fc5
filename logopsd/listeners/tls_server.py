"""Accepts TLS connections; asyncio's own server does so for plain ones.

That server would keep the context it was started with, and says nothing of a failed handshake.
"""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable

from logopsd.listeners import sockets
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
    """Accepts connections of one socket, and makes protocols of those whose handshake succeeds.

    Args:
        sock: bound, non-blocking.
        certificates: each connection takes those of its moment.
        make_protocol: for a connection, once it is secure.
        refused: told of each connection whose handshake failed.
        warn: logs, throttled.
    """

    def __init__(
        self,
        *,
        sock: socket.socket,
        certificates: Certificates,
        make_protocol: Callable[[], asyncio.Protocol],
        refused: Callable[[], None],
        warn: Callable[..., None],
    ) -> None:
        self._sock = sock
        self._certificates = certificates
        self._make_protocol = make_protocol
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
        task = self._loop.create_task(self._shake_hands(sock))
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
                sock, _ = self._sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _EXHAUSTED:
                    raise
                self._warn("cannot accept", reason=error.strerror, hint="raise LimitNOFILE=")
                self._hold()
                self._loop.call_later(RETRY_SECONDS, self._go_on)
                return
            self.adopt(sock)
            if len(self._handshakes) >= MAX_HANDSHAKES:
                self._hold()
                return

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._handshakes.discard(task)
        if len(self._handshakes) == MAX_HANDSHAKES - 1:
            self._go_on()

    async def _shake_hands(self, sock: socket.socket) -> None:
        try:
            peer = sockets.peer_of(sock.getpeername())
            await self._loop.connect_accepted_socket(
                self._make_protocol,
                sock,
                ssl=self._certificates.loaded.context,
                ssl_handshake_timeout=HANDSHAKE_TIMEOUT,
                ssl_shutdown_timeout=SHUTDOWN_TIMEOUT,
            )
        except ssl.SSLError as error:
            self._refuse(peer, error.reason or "failed", **_more(error))
        except ConnectionAbortedError:  # how asyncio says that it took too long
            self._refuse(peer, "timeout")
        except OSError:  # gone again: a probe of the port, or a sender that gave up
            self._refused()
            sock.close()
        except asyncio.CancelledError:
            sock.close()

    def _refuse(self, peer: str, reason: str, **more: str) -> None:
        self._refused()
        self._warn("TLS handshake failed", peer=peer, reason=reason, **more)


def _more(error: ssl.SSLError) -> dict[str, str]:
    """What else is to be said of a failure, in words of OpenSSL and of ours, none of the peer's."""
    more = {}
    if isinstance(error, ssl.SSLCertVerificationError):
        more["detail"] = error.verify_message
    if hint := _HINTS.get(error.reason or ""):
        more["hint"] = hint
    return more
