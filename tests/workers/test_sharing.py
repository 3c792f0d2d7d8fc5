"""Sockets for several workers: dealt out by the kernel, kept from others, counted once."""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from logopsd.assembly.inherited import Inherited
from logopsd.config import load
from logopsd.errors import ListenError
from logopsd.workers.sharing import SharedSockets
from tests.listeners.helpers import FakeLog, as_log

Make = Callable[..., SharedSockets]
ANY = {"LOGOPS_UDP_PORT": "any", "LOGOPS_TCP_PORT": "any", "LOGOPS_HTTP_PORT": "any"}


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes the sockets of so many workers, opened, and closes them."""
    with contextlib.ExitStack() as stack:

        def opened(count: int, found: dict | None = None, **settings: str) -> SharedSockets:
            inherited = Inherited(found or {}, as_log(FakeLog()))
            shared = SharedSockets(load(ANY | settings, directory=Path()), count, inherited)
            stack.callback(shared.release)
            asyncio.run(shared.open())
            return shared

        yield opened


def named(shared: SharedSockets, number: int, input: str) -> socket.socket:
    """The one socket of a worker for an input."""
    (sock,) = (sock for name, sock in shared.of(number) if name == input)
    return sock


def test_each_worker_has_its_own_socket_of_one_port(make: Make) -> None:
    """The kernel deals out what comes from many ports, each sender's to one of them."""
    shared = make(3)
    udp = [named(shared, number, "udp") for number in (1, 2, 3)]
    assert len({sock.getsockname() for sock in udp}) == 1
    assert len({sock.fileno() for sock in udp}) == 3
    with contextlib.ExitStack() as stack:
        for number in range(48):
            sender = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            for _ in range(2):
                sender.sendto(b"%d" % number, udp[0].getsockname())
    got = [list(received(sock)) for sock in udp]
    assert sum(map(len, got)) == 96
    assert all(got), [len(each) for each in got]
    assert not set(got[0]) & set(got[1])


def received(sock: socket.socket) -> Iterator[bytes]:
    """What lies in a socket."""
    with contextlib.suppress(BlockingIOError):
        while True:
            yield sock.recv(100)


@pytest.mark.parametrize("input", ["udp", "tcp"])
@pytest.mark.parametrize("count", [1, 2])
def test_a_port_that_is_taken_is_refused(make: Make, input: str, count: int) -> None:
    """Also by one that shares its port among its own workers, and of the same user."""
    first = make(2)
    named(first, 1, "tcp").listen()
    port = named(first, 1, input).getsockname()[1]
    with pytest.raises(
        ListenError, match=f"{port}: another program has it.*LOGOPS_{input.upper()}"
    ):
        make(count, **{f"LOGOPS_{input.upper()}_PORT": str(port)})


def test_what_systemd_opened_is_shared_by_all(make: Make) -> None:
    """It goes before the port; the same socket for each, counted once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)  # as those that are adopted are
        sock.bind(("127.0.0.1", 0))
        shared = make(2, {"udp": [sock]})
        assert named(shared, 1, "udp") is named(shared, 2, "udp") is sock
        assert ("udp", f"udp://127.0.0.1:{sock.getsockname()[1]}") in shared.addresses()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for _ in range(50):
                sender.sendto(b"x" * 500, sock.getsockname())
        lost = shared.drops()
        assert lost == 50 - len(list(received(sock))) > 0
        assert shared.drops() == 0


@pytest.mark.parametrize(("stored", "count"), [(1, 3), (2, 2), (3, 2)])
def test_stored_sockets_are_taken_up_again(make: Make, stored: int, count: int) -> None:
    """As many as there are workers; what is missing is opened beside them."""
    before = make(stored)
    kept = []
    before.keep(lambda name, sock: kept.append((name, sock.dup())))
    assert [name for name, _ in kept] == ["stored-udp"] * stored
    port = str(kept[0][1].getsockname()[1])
    before.release()
    found = {"stored-udp": [sock for _, sock in kept]}
    again = make(count, found, LOGOPS_UDP_PORT=port)
    socks = [named(again, number, "udp") for number in range(1, count + 1)]
    assert {sock.getsockname()[1] for sock in socks} == {int(port)}
    assert [sock for sock in socks if sock in found["stored-udp"]] == found["stored-udp"][:count]
    for sock in found["stored-udp"]:
        sock.close()


def test_unix_sockets_are_one_for_all_and_removed_at_the_end(make: Make) -> None:
    """Unless systemd keeps the datagram socket, whose path then stays."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(short_directory()))
        paths = {kind: folder / kind for kind in ("dgram", "stream")}
        settings = {f"LOGOPS_UNIX_{kind.upper()}": str(path) for kind, path in paths.items()}
        shared = make(2, **settings)
        unix = [sock for name, sock in shared.of(2) if name == "unix"]
        assert [sock.type for sock in unix] == [socket.SOCK_DGRAM, socket.SOCK_STREAM]
        assert unix == [sock for name, sock in shared.of(1) if name == "unix"]
        shared.keep(lambda name, sock: None)
        shared.remove_paths()
        assert {kind: path.exists() for kind, path in paths.items()} == {
            "dgram": True,
            "stream": False,
        }
        paths["dgram"].unlink()


@contextlib.contextmanager
def short_directory() -> Iterator[str]:
    """A directory whose paths fit a Unix socket."""
    import tempfile

    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield folder
