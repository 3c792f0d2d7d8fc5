"""Datagrams are read alike, with one call of the kernel for many or for each."""

import errno
import socket
from collections.abc import Callable, Iterator

import pytest

from logopsd.compiled import DatagramReader
from logopsd.listeners import datagram_reader
from logopsd.listeners.datagram_reader import PlainReader, make_reader

SIZE = 2048
AT_ONCE = 64

Make = Callable[[socket.socket, int], datagram_reader.DatagramReader]


@pytest.fixture(params=[PlainReader, make_reader], ids=["plain", "compiled"])
def make(request) -> Make:
    """Either way."""
    return request.param


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    """A socket that takes IPv4 and IPv6."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        made.bind(("::", 0))
        made.setblocking(False)
        yield made


def send(to: socket.socket, *datagrams: bytes, host: str = "127.0.0.1") -> None:
    """Send from an address of this machine."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        sender.bind((host, 0))
        target = "::1" if ":" in host else "127.0.0.1"
        for datagram in datagrams:
            sender.sendto(datagram, (target, to.getsockname()[1]))


def read(reader: datagram_reader.DatagramReader, most: int = 512) -> tuple[list[bytes], list[str]]:
    """Read; there was no error, but perhaps no more."""
    datagrams, peers, error = reader.read(most)
    assert error in (0, errno.EAGAIN)
    return datagrams, peers


def test_datagrams_come_in_order_without_their_trailers(make, sock):
    """CR, LF and NUL at the end are left out, and stay within; what is empty is handed on."""
    send(sock, b"one\n", b"t\nw\0o\r\n\0", b"", b"\n", b"\0three", b"x" * SIZE)
    assert read(make(sock, SIZE))[0] == [b"one", b"t\nw\0o", b"", b"", b"\0three", b"x" * SIZE]


def test_each_has_its_peer(make, sock):
    """IPv4 inside IPv6 is given as IPv4; a peer that comes again has the same text."""
    hosts = ["127.0.0.1", "::1", "127.0.0.2", "127.0.0.2", "::1", "127.0.0.1"]
    for host in hosts:
        send(sock, b"x", host=host)
    assert read(make(sock, SIZE))[1] == hosts


def test_more_peers_than_are_remembered(make, sock):
    """Nothing but memory depends on how many there are."""
    reader, found = make(sock, SIZE), []
    hosts = [f"127.{n // 65536}.{n // 256 % 256}.{n % 256}" for n in range(1, 4500)]
    for number, host in enumerate(hosts):
        send(sock, b"x", host=host)
        if number % 100 == 0:
            found += read(reader)[1]
    assert found + read(reader)[1] == hosts


def test_no_more_are_read_than_asked_for(make, sock):
    """And the next call goes on."""
    sent = [b"%d" % number for number in range(3 * AT_ONCE)]
    send(sock, *sent)
    reader = make(sock, SIZE)
    assert read(reader, AT_ONCE + 1)[0] == sent[: AT_ONCE + 1]
    assert read(reader)[0] == sent[AT_ONCE + 1 :]
    assert read(reader)[0] == []


def test_what_is_longer_is_cut(make, tmp_path):
    """At the size, as the kernel does; a sender without a name is `unix`, as one with a name is."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "socket"))
        receiver.setblocking(False)
        for name in ("", str(tmp_path / "sender")):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
                if name:
                    sender.bind(name)
                sender.sendto(b"y" * SIZE + b"zz", receiver.getsockname())
        expected = [b"y" * SIZE] * 2, ["unix", "unix"]
        assert read(make(receiver, SIZE)) == expected


def test_long_datagrams_are_read_by_fewer(make, sock):
    """All of them, whatever memory is asked for; too much of it is refused."""
    sent = [b"%d" % number for number in range(AT_ONCE)]
    send(sock, *sent)
    assert read(make(sock, 5 << 20))[0] == sent
    with pytest.raises(MemoryError):
        DatagramReader(sock.fileno(), 1 << 60)


def test_an_error_is_told(make, sock):
    """By its number."""
    reader = make(sock, SIZE)
    sock.close()
    assert reader.read(1) == ([], [], errno.EBADF)
