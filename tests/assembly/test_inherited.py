"""Inherited sockets go to the input their name says, and nothing is left open in silence."""

import contextlib
import socket
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from logopsd.assembly.inherited import Inherited, bound_to, bound_to_path
from tests.listeners.helpers import FakeLog, as_log

UDP = (socket.AF_INET, socket.SOCK_DGRAM)
TCP = (socket.AF_INET6, socket.SOCK_STREAM)
UNIXGRAM = (socket.AF_UNIX, socket.SOCK_DGRAM)
UNIX = (socket.AF_UNIX, socket.SOCK_STREAM)


@pytest.fixture
def make() -> Iterator[object]:
    """Makes sockets, and closes them."""
    with contextlib.ExitStack() as stack:
        yield lambda kind: stack.enter_context(socket.socket(*kind))


@pytest.mark.parametrize(
    ("name", "kind", "input"),
    [
        ("udp", UDP, "udp"),
        ("udp", TCP, None),
        ("udp", UNIXGRAM, None),
        ("tcp", TCP, "tcp"),
        ("tcp", UNIX, None),
        ("tls", TCP, "tls"),
        ("relp", TCP, "relp"),
        ("http", TCP, "http"),
        ("http", UNIX, "http"),
        ("http", UDP, None),
        ("metrics", UNIX, "metrics"),
        ("unix", UNIX, "unix"),
        ("unix", UNIXGRAM, "unix"),
        ("unix", TCP, None),
        ("syslog", UDP, "udp"),
        ("syslog", TCP, "tcp"),
        ("syslog", UNIX, "unix"),
        ("syslog", UNIXGRAM, "unix"),
        ("journal", TCP, None),
        ("unknown", UDP, None),
        ("stored-udp", UDP, None),
    ],
)
def test_name_and_kind_decide(make, name, kind, input) -> None:
    """A socket serves the input of its name if it is of that kind, and else none."""
    sock = make(kind)
    inherited = Inherited({name: [sock]}, as_log(FakeLog()))
    inputs = ("udp", "tcp", "tls", "relp", "http", "metrics", "unix")

    assert [each for each in inputs if inherited.take(each) == [sock]] == ([input] if input else [])


def test_several_of_one_name_are_all_given_once(make) -> None:
    """In the order in which they came; afterwards none is left."""
    socks = [make(UDP), make(UDP)]
    inherited = Inherited({"udp": socks}, as_log(FakeLog()))

    assert inherited.take("udp") == socks
    assert inherited.take("udp") == []


def test_what_is_left_is_closed_with_a_warning(make) -> None:
    """The warning names the name; a stored socket is given up with the store, unsaid."""
    log, unstored = FakeLog(), []
    left, stored = make(UDP), make(UDP)
    inherited = Inherited({"web": [left], "stored-udp": [stored]}, as_log(log))
    inherited.close_rest(unstored.append)

    assert left.fileno() == stored.fileno() == -1
    assert log.events() == ["inherited socket not used"]
    assert log.values("inherited socket not used")["name"] == "web"
    assert unstored == ["stored-udp"]


def test_a_stored_socket_is_taken_where_it_is_wanted(make) -> None:
    """Where the settings still name its address, and only under the name of a stored one."""
    sock = make(UDP)
    sock.bind(("127.0.0.1", 0))
    port = sock.getsockname()[1]
    inherited = Inherited({"stored-udp": [sock]}, as_log(FakeLog()))

    assert inherited.take_stored("udp", partial(bound_to, host="127.0.0.1", port=1)) is None
    assert inherited.take_stored("udp", partial(bound_to, host="::1", port=port)) is None
    assert inherited.take_stored("unix", lambda _: True) is None
    assert inherited.take_stored("udp", partial(bound_to, host="127.0.0.1", port=0)) is sock
    assert inherited.take_stored("udp", lambda _: True) is None


def test_a_stored_path_must_still_lead_to_the_socket(make, tmp_path: Path) -> None:
    """A path that was removed reaches nobody, whatever the socket says."""
    path, sock = tmp_path / "s", make(UNIXGRAM)
    sock.bind(str(path))

    assert bound_to_path(sock, str(path))
    assert not bound_to_path(sock, str(tmp_path / "other"))
    path.unlink()
    assert not bound_to_path(sock, str(path))
