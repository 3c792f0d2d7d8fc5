"""Unix sockets, sockets handed over by systemd, and those kept over a restart."""

import array
import contextlib
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, ROOT, Daemon, need, run
from tests.ports import free_port

HAND_OVER = 'export LISTEN_PID=$$; exec "$@" {}'
"""For bash: descriptors from 3 on are where systemd puts them, and exec keeps the process id."""

MEANWHILE = {"udp": 100, "unix": 8}
"""Datagrams sent while nobody reads; a Unix socket may take no more (net.unix.max_dgram_qlen)."""


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose paths fit a Unix socket's 107 bytes, whatever the test is called."""
    path = Path("/tmp") / f"logopsd-test-{os.getpid()}"
    path.mkdir()
    yield path
    for left in path.iterdir():
        left.unlink()
    path.rmdir()


@pytest.mark.parametrize("kind", ["dgram", "stream"])
def test_logger_writes_to_a_unix_socket(
    make_daemon: MakeDaemon, short_path: Path, kind: str
) -> None:
    """`logger -u` reaches both kinds; everyone may write; the path is gone after the end."""
    path = short_path / "log"
    daemon = make_daemon({f"LOGOPS_UNIX_{kind.upper()}": str(path)}).start()
    assert stat.S_IMODE(path.stat().st_mode) == 0o666
    flag = {"dgram": "--udp", "stream": "--tcp"}[kind]
    command = [need("logger"), "--socket", str(path), flag, "--tag", "cron", "--id=12"]
    run([*command, "over the socket"])

    (record,) = daemon.wait_records(1)
    assert (record["msg"], record["app"], record["procid"]) == ("over the socket", "cron", "12")
    assert (record["input"], record["peer"]) == ("unix", "unix")
    assert daemon.metrics().unaccounted("unix") == 0
    assert daemon.stop() == 0
    assert not path.exists()


def test_a_socket_left_by_a_crash_is_replaced(make_daemon: MakeDaemon, short_path: Path) -> None:
    """A path that nobody listens on any more does not hinder the start."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_UNIX, kind) as left:
            left.bind(str(short_path / kind.name))
    daemon = make_daemon(
        {
            "LOGOPS_UNIX_DGRAM": str(short_path / "SOCK_DGRAM"),
            "LOGOPS_UNIX_STREAM": str(short_path / "SOCK_STREAM"),
        }
    ).start()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>new", str(short_path / "SOCK_DGRAM"))

    assert daemon.wait_records(1)[0]["msg"] == "new"


def test_streams_are_handed_over(make_daemon: MakeDaemon, short_path: Path) -> None:
    """systemd-socket-activate starts the daemon for its first peer, who is served, by name."""
    daemon = make_daemon({"LOGOPS_UDP_PORT": "0"})
    port = free_port()
    activate = [need("systemd-socket-activate"), f"--listen=127.0.0.1:{port}"]
    activate += [f"--listen={short_path / name}" for name in ("unix", "http", "metrics")]
    activate += ["--fdname=tcp:unix:http:metrics", "--setenv=PYTHONPATH"]
    activate += [f"--setenv={name}" for name in daemon.env if name.startswith("LOGOPS_")]
    # Its own words are no JSON, and the daemon's log is all JSON.
    daemon.prefix = ["bash", "-c", 'exec "$@" 2>activate.log', "-", *activate]
    daemon.prefix += ["bash", "-c", 'exec "$@" 2>>daemon.log', "-"]
    daemon.spawn()
    daemon.wait_for(lambda: (short_path / "metrics").exists(), "the sockets")
    with socket.create_connection(("127.0.0.1", port)) as sender:
        sender.sendall(b"<13>first\n")
    daemon.wait_for(lambda: daemon.events("ready"), "the daemon to be started")
    with socket.socket(socket.AF_UNIX) as sender:
        sender.connect(str(short_path / "unix"))
        sender.sendall(b"<13>second\n")
    posted = unix_request(short_path / "http", "POST", "/v1/logs", b'{"msg": "third"}')

    assert posted[0] == 200
    records = daemon.wait_records(3)
    assert {r["input"]: r["msg"] for r in records} == {
        "tcp": "first",
        "unix": "second",
        "http": "third",
    }
    status, page = unix_request(short_path / "metrics", "GET", "/metrics")
    assert (status, b'logops_accepted_total{input="unix"} 1' in page) == (200, True)
    assert len(daemon.events("listening")) == 4
    assert daemon.stop() == 0
    assert (short_path / "unix").exists()  # it is the service manager's


def unix_request(path: Path, method: str, target: str, body: bytes = b"") -> tuple[int, bytes]:
    """One HTTP request over a Unix socket."""
    connection = http.client.HTTPConnection("localhost", timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection), socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(DEADLINE_SECONDS)
        sock.connect(str(path))
        connection.sock = sock
        connection.request(method, target, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read()


def hand_over(daemon: Daemon, socks: Mapping[str, socket.socket]) -> None:
    """Have the next start of the daemon inherit sockets by name."""
    fds = tuple(sock.fileno() for sock in socks.values())
    assert min(fds) >= 3 + len(fds), "bash would overwrite one with another"
    places = " ".join(f"{3 + place}<&{fd}" for place, fd in enumerate(fds))
    daemon.prefix = ["bash", "-c", HAND_OVER.format(places), "hand-over"]
    daemon.pass_fds = fds
    daemon.env |= {"LISTEN_FDS": str(len(fds)), "LISTEN_FDNAMES": ":".join(socks)}


@pytest.mark.parametrize("name", ["udp", "syslog"])
def test_datagrams_sent_before_the_start_are_there(make_daemon: MakeDaemon, name: str) -> None:
    """A UDP socket that is handed over goes before the port that is set; nothing is lost."""
    daemon = make_daemon()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        hand_over(daemon, {name: sock})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>early", sock.getsockname())
        daemon.start()

        assert daemon.wait_records(1)[0]["msg"] == "early"
        assert daemon.address("udp") == sock.getsockname()


@pytest.mark.parametrize("name", ["web", "tcp"])
def test_a_socket_that_nobody_knows_is_closed(make_daemon: MakeDaemon, name: str) -> None:
    """A name of no input, or a socket of the wrong kind, costs a warning; the rest runs."""
    daemon = make_daemon()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        hand_over(daemon, {name: sock})
        daemon.start()

    (event,) = daemon.events("inherited socket not used")
    assert (event["level"], event["name"], event["type"]) == ("warning", name, "SOCK_DGRAM")
    assert {e["input"] for e in daemon.events("listening")} == {"udp", "tcp", "http", "metrics"}


class Manager:
    """The service manager's end of sd_notify, with a store for descriptors."""

    def __init__(self, path: Path) -> None:
        self.said: list[str] = []
        self.stored: dict[str, socket.socket] = {}
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._sock.bind(str(path))

    def hear(self) -> None:
        """Take what was said since, and what came with it."""
        size = array.array("i").itemsize
        while True:
            try:
                text, ancillary, _, _ = self._sock.recvmsg(4096, socket.CMSG_SPACE(size))
            except BlockingIOError:
                return
            lines = text.decode().split("\n")
            self.said += lines
            for _, _, data in ancillary:
                sock = socket.socket(fileno=array.array("i", data[:size])[0])
                name = next(x for x in lines if x.startswith("FDNAME=")).removeprefix("FDNAME=")
                assert "FDSTORE=1" in lines
                # As systemd does: what is there already is not kept twice.
                if name in self.stored:
                    assert self.stored[name].getsockname() == sock.getsockname()
                    sock.close()
                else:
                    self.stored[name] = sock

    def close(self) -> None:
        """Close everything."""
        for sock in (self._sock, *self.stored.values()):
            sock.close()


@pytest.fixture
def manager(short_path: Path) -> Iterator[Manager]:
    """A service manager to talk to at `notify` in the short path."""
    with contextlib.closing(Manager(short_path / "notify")) as made:
        yield made


@pytest.mark.parametrize("input", ["udp", "unix"])
def test_a_restart_loses_no_datagram(
    make_daemon: MakeDaemon, short_path: Path, manager: Manager, input: str
) -> None:
    """The socket is stored with the service manager; what comes while nobody runs is read."""
    daemon = make_daemon({"LOGOPS_UNIX_DGRAM": str(short_path / "log")})
    daemon.env["NOTIFY_SOCKET"] = str(short_path / "notify")
    daemon.start()
    name = f"stored-{input}"
    daemon.wait_for(lambda: manager.hear() or len(manager.stored) == 2, "both sockets in store")
    assert manager.said.index("READY=1") < manager.said.index("FDSTORE=1")
    kept = manager.stored[name]
    address = kept.getsockname()

    with socket.socket(kept.family, socket.SOCK_DGRAM) as sender:

        def send(first: int, last: int) -> None:
            for number in range(first, last):
                sender.sendto(b"<13>n%d" % number, address)

        more = MEANWHILE[input]
        send(0, more)
        assert daemon.stop() == 0
        send(more, 2 * more)
        hand_over(daemon, manager.stored)
        daemon.start()
        send(2 * more, 3 * more)
        records = daemon.wait_records(3 * more)

    assert [r["msg"] for r in records] == [f"n{n}" for n in range(3 * more)]
    manager.hear()
    assert manager.said.count("READY=1") == 2


def test_a_stored_socket_yields_to_changed_settings(
    make_daemon: MakeDaemon, short_path: Path, manager: Manager
) -> None:
    """With another port in the settings, what was stored is given up, and the store is told."""
    daemon = make_daemon({"LOGOPS_UDP_PORT": str(free_port())})
    daemon.env["NOTIFY_SOCKET"] = str(short_path / "notify")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as old:
        old.bind(("127.0.0.1", 0))
        hand_over(daemon, {"stored-udp": old})
        daemon.start()

        assert daemon.port("udp") == daemon.env["LOGOPS_UDP_PORT"]
        daemon.wait_for(lambda: manager.hear() or "FDSTORE=1" in manager.said, "FDSTORE")
    assert manager.said.index("FDSTOREREMOVE=1") < manager.said.index("FDSTORE=1")
    assert daemon.events("inherited socket not used") == []


WITHOUT_NETWORK = ["unshare", "--user", "--net", "--map-root-user"]
"""PrivateUsers=yes and PrivateNetwork=yes, without systemd."""

JAIL = [
    sys.executable,
    str(Path(__file__).parent / "jail.py"),
    str(ROOT / "systemd" / "logopsd.service"),
]
"""Its SystemCallFilter=, RestrictAddressFamilies= and MemoryDenyWriteExecute=, likewise."""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_needs_no_network_of_its_own(make_daemon: MakeDaemon, workers: str) -> None:
    """With all sockets handed over it works under the limits of logopsd.service."""
    need("systemd-analyze")
    confined = [*WITHOUT_NETWORK, *JAIL]
    if subprocess.run([*confined, "true"], capture_output=True, check=False).returncode:
        pytest.skip("namespaces or filters of system calls may not be made here")
    opens_one = [sys.executable, "-c", "import socket; socket.socket(socket.AF_INET)"]
    refused = subprocess.run([*confined, *opens_one], capture_output=True, check=False)
    assert b"Address family not supported" in refused.stderr
    daemon = make_daemon({"LOGOPS_WORKERS": workers})
    with contextlib.ExitStack() as stack:
        socks = {}
        for name in ("udp", "tcp", "http", "metrics"):
            kind = socket.SOCK_DGRAM if name == "udp" else socket.SOCK_STREAM
            socks[name] = stack.enter_context(socket.socket(socket.AF_INET6, kind))
            socks[name].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            socks[name].bind(("::", 0))
        hand_over(daemon, socks)
        daemon.prefix += confined
        daemon.start()
        addresses = {name: ("127.0.0.1", sock.getsockname()[1]) for name, sock in socks.items()}
        assert {name: daemon.address(name)[1] for name in socks} == {
            name: address[1] for name, address in addresses.items()
        }
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>udp", addresses["udp"])
        with socket.create_connection(addresses["tcp"]) as sender:
            sender.sendall(b"<13>tcp\n")
        for name, method, path, body in (
            ("http", "POST", "/v1/logs", b'{"msg": "http"}'),
            ("metrics", "GET", "/metrics", None),
        ):
            connection = http.client.HTTPConnection(*addresses[name], timeout=DEADLINE_SECONDS)
            with contextlib.closing(connection):
                connection.request(method, path, body, {"Content-Type": "application/json"})
                assert connection.getresponse().status == 200

        records = daemon.wait_records(3)
        assert {record["msg"] for record in records} == {"udp", "tcp", "http"}
        assert {record["peer"] for record in records} == {"127.0.0.1"}
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload"), "the reload")
        assert daemon.stop() == 0
