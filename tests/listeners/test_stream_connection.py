"""Tests of logopsd.listeners.stream_connection that need no listener; the others are with it."""

import asyncio
import socket
from typing import Any

import pytest

from logopsd.framing.newline import NewlineFramer
from logopsd.listeners.stream_connection import StreamConnection
from tests.listeners.helpers import Taken


class FakeListener:
    """Takes any connection."""

    paused = False
    tls = None

    def opened(self, _: StreamConnection) -> bool:
        """Let it stay."""
        return True


class FakeTransport(asyncio.Transport):
    """A transport whose socket is closed already."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Give the socket."""
        sock = socket.socket()
        sock.close()
        return sock if name == "socket" else default


class LostTransport(asyncio.Transport):
    """A transport of TLS between the loss of its connection and word of it: it has no socket."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Give what was asked to be given where there is none."""
        return default


class TestUnread:
    @pytest.mark.parametrize("transport", [FakeTransport, LostTransport])
    def test_a_closed_socket_holds_nothing(self, transport: type[asyncio.Transport]) -> None:
        """Asking a connection that is gone is no error."""

        async def main() -> None:
            connection = StreamConnection(
                FakeListener(),  # type: ignore[arg-type]
                make_framer=lambda: NewlineFramer(max_message=100),
                take_frames=Taken(),
            )
            connection.connection_made(transport())

            assert connection.unread() == 0
            assert not connection.owes()

        asyncio.run(main())
