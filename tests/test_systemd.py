"""What systemd is told and what it hands over, and that nothing happens without it."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from logopsd import systemd
from logopsd.systemd import Notifier, inherited_sockets

ROOT = Path(__file__).parents[1]


@pytest.fixture
def manager() -> Iterator[socket.socket]:
    """The service manager's end, at an abstract address that the kernel chose."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind("")  # autobind, unix(7)
        bound.settimeout(5)
        yield bound


def environ_of(manager: socket.socket, **more: str) -> dict[str, str]:
    """What the manager puts into the environment."""
    return {"NOTIFY_SOCKET": "@" + manager.getsockname()[1:].decode(), **more}


def test_messages_are_those_of_sd_notify(manager: socket.socket) -> None:
    """Each call is one datagram of assignments."""
    notify = Notifier(environ_of(manager))
    notify.ready()
    notify.status("two\nlines ü")
    notify.watchdog()
    notify.stopping()

    assert [manager.recv(999) for _ in range(4)] == [
        b"READY=1",
        "STATUS=two lines ü".encode(),
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_reload_carries_the_monotonic_time(manager: socket.socket) -> None:
    """Type=notify-reload asks for the time in microseconds."""
    Notifier(environ_of(manager)).reloading()

    first, second = manager.recv(999).split(b"\n")
    assert first == b"RELOADING=1"
    assert second.removeprefix(b"MONOTONIC_USEC=").isdigit()


def test_a_socket_is_given_to_be_kept(manager: socket.socket) -> None:
    """FDSTORE carries a descriptor of the same socket; FDSTOREREMOVE needs none."""
    notify = Notifier(environ_of(manager))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        notify.store("stored-udp", sock)
        text, [fd], _, _ = socket.recv_fds(manager, 999, 4)
        with socket.socket(fileno=fd) as passed:
            assert passed.getsockname() == sock.getsockname()
    notify.unstore("stored-udp")

    assert text == b"FDSTORE=1\nFDNAME=stored-udp"
    assert manager.recv(999) == b"FDSTOREREMOVE=1\nFDNAME=stored-udp"


def test_address_may_be_a_path(tmp_path: Path) -> None:
    """The usual form is a socket in the file system."""
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bound:
        bound.bind(str(path))
        Notifier({"NOTIFY_SOCKET": str(path)}).ready()

        assert bound.recv(999) == b"READY=1"


@pytest.mark.parametrize("address", ["/no/such/socket", "@nobody-listens", "/" + "x" * 200, "@a\0"])
def test_error_hurts_nobody(address: str) -> None:
    """A manager that is gone, or an address that is none, is passed over."""
    notify = Notifier({"NOTIFY_SOCKET": address})
    notify.ready()
    notify.status("\udcff")


def test_full_manager_does_not_block(manager: socket.socket) -> None:
    """A manager that does not read must not hold up the event loop."""
    notify = Notifier(environ_of(manager))
    for _ in range(2000):
        notify.watchdog()


def test_nothing_happens_outside_of_systemd() -> None:
    """Without the variables there is nobody to tell, no watchdog and no socket."""
    notify = Notifier({})
    notify.ready()

    assert notify.watchdog_interval is None
    assert inherited_sockets({}) == {}


@pytest.mark.parametrize(
    ("variables", "interval"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_watchdog_is_fed_at_half_its_time(
    manager: socket.socket, variables: dict[str, str], interval: float | None
) -> None:
    """Only where the variable is meant for this process."""
    assert Notifier(environ_of(manager, **variables)).watchdog_interval == interval


CHILD = """
import os, socket, sys
from logopsd.systemd import inherited_sockets

os.environ["LISTEN_PID"] = os.environ["LISTEN_PID"] or str(os.getpid())
for name, found in inherited_sockets(os.environ).items():
    for each in found:
        print(name, each.family.name, each.type.name, each.getblocking(),
              os.get_inheritable(each.fileno()))
        each.close()
print(sorted(name for name in os.environ if name.startswith("LISTEN_")))
"""


def child(fds: list[int], **variables: str) -> list[str]:
    """The lines of a process that inherits these descriptors from number 3 on."""
    # dup2 in the child puts them where systemd would; a shell can do that without a race.
    places = " ".join(f"{systemd.FIRST_FD + n}<&{fd}" for n, fd in enumerate(fds))
    environ = {"LISTEN_PID": "", "PYTHONPATH": str(ROOT)} | variables
    done = subprocess.run(
        ["bash", "-c", f'exec "$0" -c "$1" {places}', sys.executable, CHILD],
        env=environ,
        pass_fds=fds,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.fixture
def three() -> Iterator[list[int]]:
    """A UDP, a TCP and a Unix socket, at descriptors well above the places they go to."""
    made = [
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM),
    ]
    fds = [os.dup2(each.fileno(), 50 + n) for n, each in enumerate(made)]
    yield fds
    for each in made:
        each.close()
    for fd in fds:
        os.close(fd)


def test_sockets_come_by_name_and_kind(three: list[int]) -> None:
    """Sockets are found by name, closed on exec, non-blocking, and the variables are dropped."""
    assert child(three, LISTEN_FDS="3", LISTEN_FDNAMES="udp:tcp:udp") == [
        "udp AF_INET SOCK_DGRAM False False",
        "udp AF_UNIX SOCK_DGRAM False False",
        "tcp AF_INET SOCK_STREAM False False",
        "[]",
    ]


def test_socket_without_a_name_is_unknown(three: list[int]) -> None:
    """Missing names are `unknown`, as in sd_listen_fds_with_names(3)."""
    assert [line.split()[0] for line in child(three[:2], LISTEN_FDS="2", LISTEN_FDNAMES="tcp")] == [
        "tcp",
        "unknown",
        "[]",
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_FDS": "one"},
        {"LISTEN_FDS": "99999"},
        {},
    ],
)
def test_sockets_of_others_are_left_alone(three: list[int], variables: dict[str, str]) -> None:
    """Another process's variables, and nonsense, bring no sockets, and are dropped."""
    assert child(three[:1], **variables) == ["[]"]


def test_descriptor_that_is_no_socket_is_passed_over(three: list[int], tmp_path: Path) -> None:
    """A file among them, or a number that is not open, costs only itself."""
    with (tmp_path / "file").open("wb") as file:
        lines = child([file.fileno(), three[0]], LISTEN_FDS="9", LISTEN_FDNAMES="a:b:c")

    assert lines == ["b AF_INET SOCK_DGRAM False False", "[]"]


def test_descriptors_are_adopted(three: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The same within this process, from another first descriptor."""
    monkeypatch.setattr(systemd, "FIRST_FD", three[0])
    copies = [os.dup2(fd, fd + 10) for fd in three]
    with (Path(os.devnull)).open("rb") as file:
        os.dup2(file.fileno(), three[2])
    environ = {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "3", "LISTEN_FDNAMES": ":tcp"}

    found = inherited_sockets(environ)

    assert environ == {}
    assert {name: len(each) for name, each in found.items()} == {"unknown": 1, "tcp": 1}
    for (taken,) in found.values():
        assert not taken.get_inheritable()
        taken.detach()
    for copy in copies:  # what was closed as no socket is put back for the fixture
        os.dup2(copy, copy - 10)
        os.close(copy)
