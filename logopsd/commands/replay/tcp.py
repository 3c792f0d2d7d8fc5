"""A receiver on TCP as the target: the lines as they are, each ended by LF.

Not octet-counted: such a frame must begin with a PRI, and records that came without one would get
a facility that nobody gave them. Nothing is answered: what was sent is known to have been read
only in the end, when the receiver closes after us.
"""

import socket
import time
from collections.abc import Sequence
from typing import Final

from logopsd.commands.replay.targets import Sent
from logopsd.errors import LogopsError

TIMEOUT_SECONDS: Final = 120.0
"""How long a receiver may let us wait, while its disk is full."""


class TcpTarget:
    """Sends lines over a connection of its own.

    Args:
        host: of the receiver.
        port: of its TCP input.

    Raises:
        OSError: nobody answers there.
    """

    def __init__(self, host: str, port: int) -> None:
        self.sent = Sent()
        self._name = f"tcp://{host}:{port}"
        try:
            self._sock = socket.create_connection((host, port), TIMEOUT_SECONDS)
        except OSError as error:
            raise self._broken(error) from None

    def send(self, lines: Sequence[bytes]) -> None:
        """Send them; a connection that breaks is not made anew, as nobody knows what was read."""
        try:
            self._sock.sendall(b"".join(lines))
        except OSError as error:
            raise self._broken(error) from None
        self.sent.taken += len(lines)

    def close(self) -> None:
        """Wait until the receiver has read all, which it shows by closing."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        with self._sock:
            try:
                self._sock.shutdown(socket.SHUT_WR)
                while self._sock.recv(4096):
                    if time.monotonic() > deadline:
                        raise TimeoutError("it does not close the connection")
            except OSError as error:
                raise self._broken(error) from None

    def _broken(self, error: OSError) -> LogopsError:
        return LogopsError(f"{self._name}: {error.strerror or error}")
