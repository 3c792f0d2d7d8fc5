"""Tests of logopsd.listeners.sockets, over real sockets."""

import asyncio
import errno
import socket
import stat
from pathlib import Path

import pytest

from logopsd.errors import ListenError
from logopsd.listeners import sockets


def bind(host: str, port: int = 0, kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Bind in a loop of its own."""
    return asyncio.run(sockets.bind(kind, host, port, setting="THE_PORT", bind_setting="THE_BIND"))


def test_a_peer_that_reset_its_connection_is_let_go() -> None:
    """Nothing can be ended that is gone already, and nobody else hears of it."""

    async def live() -> None:
        lost = asyncio.Event()

        class Peer(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                transport.pause_reading()  # type: ignore[attr-defined]
                made.set_result(transport)

            def connection_lost(self, _: Exception | None) -> None:
                lost.set()

        loop = asyncio.get_running_loop()
        made: asyncio.Future[asyncio.WriteTransport] = loop.create_future()
        server = await loop.create_server(Peer, "127.0.0.1", 0)
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            transport = await made
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sockets.end_sending(transport)
        async with asyncio.timeout(10):
            await lost.wait()
        server.close()

    asyncio.run(live())


class TestBind:
    def test_the_kernel_chooses_port_0(self) -> None:
        """Port 0 gives a free port, which the address tells."""
        with bind("127.0.0.1") as sock:
            assert sockets.address_of("tcp", sock) == f"tcp://127.0.0.1:{sock.getsockname()[1]}"

    def test_a_name_prefers_ipv4(self) -> None:
        """A name with addresses of both families is taken for its IPv4 one."""
        with bind("localhost") as sock:
            assert sock.getsockname()[0] == "127.0.0.1"

    @pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
    def test_an_address_is_not_looked_up(self, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """For a name a thread is needed, and what it may wait for; not for an address."""

        async def look_up(*_: object, **__: object) -> None:
            raise AssertionError("looked up")

        monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", look_up)
        with bind(host) as sock:
            assert sock.getsockname()[0] == host
        with pytest.raises(AssertionError, match="looked up"):
            bind("localhost")

    def test_an_ipv6_address_is_bracketed(self) -> None:
        """The address of an IPv6 socket reads as in a URL."""
        with bind("::1") as sock:
            assert sockets.address_of("tcp", sock) == f"tcp://[::1]:{sock.getsockname()[1]}"

    @pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
    def test_a_taken_port_names_its_setting(self, kind: socket.SocketKind) -> None:
        """A port that another program listens on is refused with the setting to change."""
        with bind("127.0.0.1", kind=kind) as sock:
            if kind == socket.SOCK_STREAM:
                sock.listen()
            with pytest.raises(ListenError, match=r"another program has it.*THE_PORT"):
                bind("127.0.0.1", sock.getsockname()[1], kind)

    def test_a_foreign_address_names_its_setting(self) -> None:
        """An address of another machine is refused with the setting to change."""
        with pytest.raises(ListenError, match=r"192\.0\.2\.1:\d+: .*THE_BIND"):
            bind("192.0.2.1")

    def test_an_unknown_host_names_its_setting(self) -> None:
        """A name that does not resolve is refused with the setting to change."""
        with pytest.raises(ListenError, match=r"no such host.*THE_BIND"):
            bind("no such host.invalid")

    @pytest.mark.parametrize(
        ("number", "mend"),
        [
            (errno.EACCES, "CAP_NET_BIND_SERVICE.*THE_PORT"),
            (errno.EAFNOSUPPORT, "THE_BIND"),
            (errno.ENOBUFS, "injected"),
        ],
    )
    def test_other_errors(self, number: int, mend: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """A privileged port, a family that is missing, and any other error are told apart."""

        def fail(*_: object) -> None:
            raise OSError(number, "injected")

        monkeypatch.setattr(socket.socket, "bind", fail)
        with pytest.raises(ListenError, match=mend):
            bind("127.0.0.1", 514)

    def test_a_family_the_machine_lacks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where not even a socket can be made, the setting to change is named."""
        found = [(99, socket.SOCK_STREAM, 0, "", ("::1", 0))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

        with pytest.raises(ListenError, match=r"no such address family.*THE_BIND"):
            bind("::1")


class TestBindPath:
    def bind(self, path: Path) -> socket.socket:
        """Bind a stream socket."""
        return sockets.bind_path(socket.SOCK_STREAM, str(path), setting="THE_PATH")

    def test_everyone_may_send(self, tmp_path: Path) -> None:
        """A Unix socket is open to all users, as /dev/log is."""
        with self.bind(tmp_path / "log") as sock:
            assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o666
            assert sockets.address_of("unix", sock) == f"unix://{tmp_path}/log"

    def test_a_socket_left_by_a_dead_process_is_replaced(self, tmp_path: Path) -> None:
        """Nobody listens on it, so it is only a name."""
        self.bind(tmp_path / "log").close()
        with self.bind(tmp_path / "log"):
            pass

    def test_a_socket_in_use_is_refused(self, tmp_path: Path) -> None:
        """A socket that somebody listens on is left alone."""
        with self.bind(tmp_path / "log") as sock:
            sock.listen()
            with pytest.raises(ListenError, match=r"another program listens.*THE_PATH"):
                self.bind(tmp_path / "log")
            assert (tmp_path / "log").exists()

    def test_a_socket_of_another_kind_is_refused(self, tmp_path: Path) -> None:
        """Whether somebody listens on it cannot be told, so it is left alone."""
        with self.bind(tmp_path / "log"), pytest.raises(ListenError):
            sockets.bind_path(socket.SOCK_DGRAM, str(tmp_path / "log"), setting="THE_PATH")

    def test_a_file_is_refused(self, tmp_path: Path) -> None:
        """A file that is no socket is never removed."""
        (tmp_path / "log").write_text("precious")
        with pytest.raises(ListenError, match="THE_PATH"):
            self.bind(tmp_path / "log")
        assert (tmp_path / "log").read_text() == "precious"

    def test_a_missing_directory_is_named(self, tmp_path: Path) -> None:
        """The error says that the directory is missing."""
        with pytest.raises(ListenError, match=r"directory does not exist.*THE_PATH"):
            self.bind(tmp_path / "none" / "log")

    def test_a_path_too_long_is_refused(self, tmp_path: Path) -> None:
        """The kernel takes 107 bytes; that error has no number."""
        with pytest.raises(ListenError, match="too long"):
            self.bind(tmp_path / ("x" * 120))

    def test_a_name_that_is_gone_is_no_error(self, tmp_path: Path) -> None:
        """Removing a name twice is as good as once."""
        sockets.unlink(str(tmp_path / "none"))


class TestReceiveBuffer:
    def test_what_is_granted_is_told(self) -> None:
        """The size comes back in the measure it was asked in."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            assert sockets.set_receive_buffer(sock, 65536) == 65536

    def test_without_privilege_the_limit_holds(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where going beyond the limit is not permitted, the plain option is used."""
        monkeypatch.setattr(sockets, "SO_RCVBUFFORCE", 10_000)  # no such option
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            assert sockets.set_receive_buffer(sock, 65536) == 65536

    def test_what_somebody_more_privileged_granted_stays(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An inherited socket with a larger buffer is not given the smaller one we may ask for."""
        monkeypatch.setattr(sockets, "SO_RCVBUFFORCE", 10_000)  # no such option
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
            assert sockets.set_receive_buffer(sock, 65536) == 100_000


class TestKernelDrops:
    def test_a_new_socket_has_none(self) -> None:
        """The count begins at zero."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            assert sockets.kernel_drops(sock) == 0

    def test_a_socket_without_the_count_has_none(self) -> None:
        """Where the kernel cannot say, zero is said."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.close()

        assert sockets.kernel_drops(sock) == 0


class TestPeerOf:
    @pytest.mark.parametrize(
        ("address", "peer"),
        [
            (("192.0.2.1", 514), "192.0.2.1"),
            (("2001:db8::1", 514, 0, 0), "2001:db8::1"),
            (("::ffff:192.0.2.1", 514, 0, 0), "192.0.2.1"),
            (("fe80::1%eth0.1", 514, 0, 2), "fe80::1"),
            ("", "unix"),
            (None, "unix"),
            (b"\0abstract", "unix"),
            ((), "unix"),
        ],
    )
    def test_only_the_address_is_told(self, address: object, peer: str) -> None:
        """Port and zone are left out, IPv4 inside IPv6 is IPv4, Unix sockets have none."""
        assert sockets.peer_of(address) == peer
