"""Lines over TCP, to a server of the test's own."""

import socket
import threading

import pytest

from logopsd.commands.replay.tcp import TcpTarget
from logopsd.errors import LogopsError


def test_all_is_read_when_it_is_closed() -> None:
    """The receiver closes after us."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(4096):
                    got.append(data)

        thread = threading.Thread(target=serve)
        thread.start()
        target = TcpTarget("127.0.0.1", server.getsockname()[1])
        target.send([b"1\n", b"2\n"])
        target.send([b"3\n"])
        target.close()
        thread.join()
    assert b"".join(got) == b"1\n2\n3\n"
    assert target.sent.taken == 3


def test_a_connection_that_breaks_is_an_error() -> None:
    """At the first, in the midst, and in the end."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        target = TcpTarget("127.0.0.1", port)
        connection, _ = server.accept()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connection.close()  # with RST
        with pytest.raises(LogopsError, match=f"tcp://127.0.0.1:{port}"):
            target.send([b"x" * 65536] * 100)
        with pytest.raises(LogopsError):
            target.close()
    with pytest.raises(LogopsError, match="refused"):
        TcpTarget("127.0.0.1", port)
