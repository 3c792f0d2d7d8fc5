"""The balancers of infra/cluster on loopback, before two real daemons of which one is killed.

Their files run as they are, but for addresses: two receivers, and ports that are free.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, ROOT, Daemon, need, process, wait_for
from tests.e2e.relp_client import RelpClient
from tests.ports import free_port, free_ports

CLUSTER = ROOT / "infra" / "cluster"
STREAM_MODULE = Path("/usr/lib/nginx/modules/ngx_stream_module.so")
"""Of Debian's libnginx-mod-stream; the image of nginx has it built in."""


def receivers(make: MakeDaemon) -> list[Daemon]:
    """Start two daemons that take the sender's address from a balancer."""
    settings = {"LOGOPS_PROXY_FROM": "127.0.0.1", "LOGOPS_RELP_PORT": "any"}
    return [make(settings, name=f"receiver{number}").start() for number in (1, 2)]


def placed(text: str, daemons: list[Daemon], inputs: dict[str, str], binds: dict[str, int]) -> str:
    """Put addresses into a balancer's file: of the daemons, and those it listens at."""
    text = re.sub(r".*receiver3:.*\n", "", text)
    for number, daemon in enumerate(daemons, start=1):
        for port, name in inputs.items():
            text = text.replace(f"receiver{number}:{port}", f"127.0.0.1:{daemon.port(name)}")
    for port, free in binds.items():
        text = text.replace(f"bind :{port}", f"bind 127.0.0.1:{free}")
        text = text.replace(f"listen {port} ", f"listen 127.0.0.1:{free} ")
    return text


@contextlib.contextmanager
def haproxy(daemons: list[Daemon], directory: Path) -> Iterator[dict[str, int]]:
    """Run HAProxy before them; gives the ports it listens at, by those of the file."""
    inputs = {"5514": "tcp", "2514": "relp", "8080": "http"}
    ports = dict(zip((*inputs, "8404"), free_ports(4), strict=True))
    text = placed((CLUSTER / "haproxy" / "haproxy.cfg").read_text(), daemons, inputs, ports)
    # Each daemon has a side port of its own here, so each server says where it is asked.
    for daemon in daemons:
        for name in inputs.values():
            address = f"127.0.0.1:{daemon.port(name)}"
            text = text.replace(address, f"{address} check port {daemon.port('metrics')}")
    text = text.replace("maxconn 20000", "maxconn 100")  # more may be beyond this host's limits
    text = text.replace("inter 1s", "inter 100ms")
    config = directory / "haproxy.cfg"
    config.write_text(text)
    log = directory / "haproxy.log"
    with process([need("haproxy"), "-db", "-f", config], log):

        def healthy() -> bool:
            with contextlib.suppress(OSError):
                return servers_up(ports["8404"]) == 2 * len(inputs)
            return False

        wait_for(healthy, "all servers to be up", hint=log.read_text)
        yield ports


def servers_up(port: int) -> int:
    """How many servers HAProxy's metrics show as up."""
    url = f"http://127.0.0.1:{port}/metrics"
    with urllib.request.urlopen(url, timeout=DEADLINE_SECONDS) as page:
        text = page.read().decode()
    return len(re.findall(r'^haproxy_server_status\{.*state="UP"\} 1$', text, re.MULTILINE))


def modules() -> str:
    """The directive that brings nginx's stream module, where it is not built in."""
    built = subprocess.run([need("nginx"), "-V"], capture_output=True, text=True, check=True).stderr
    if "--with-stream=dynamic" not in built:
        return ""
    if not STREAM_MODULE.exists():
        reason = f"{STREAM_MODULE} is missing: apt-get install libnginx-mod-stream"
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return f"load_module {STREAM_MODULE};"


def numbers(daemons: list[Daemon]) -> list[int]:
    """Return the numbers of all messages that are stored, sorted."""
    found = (re.findall(rb'"msg":"number (\d+)"', daemon.raw()) for daemon in daemons)
    return sorted(int(number) for each in found for number in each)


class Sender:
    """Sends messages by RELP; where the connection breaks, what is not answered goes again."""

    def __init__(self, port: int) -> None:
        self._address = ("127.0.0.1", port)
        self._client: RelpClient | None = None

    def send(self, number: int) -> None:
        """Send a message until it is answered."""
        wait_for(lambda: self._attempt(number), f"message {number} to be answered")

    def _attempt(self, number: int) -> bool:
        try:
            if self._client is None:
                self._client = RelpClient(self._address, DEADLINE_SECONDS)
            self._client.send(b"<13>app: number %d" % number)
            self._client.answered()
        except (OSError, AssertionError):  # no answer is no good one
            self.close()
            return False
        return True

    def close(self) -> None:
        """Leave."""
        if self._client is not None:
            self._client.__exit__(None, None, None)
            self._client = None


def test_who_is_answered_loses_nothing_when_a_receiver_dies(
    make_daemon: MakeDaemon, tmp_path: Path
) -> None:
    """Two sessions, a receiver each; killed in the midst, all goes on by the other."""
    daemons = receivers(make_daemon)
    with haproxy(daemons, tmp_path) as ports:
        senders = [Sender(ports["2514"]) for _ in daemons]
        for number in range(400):
            if number == 150:
                assert all(numbers([daemon]) for daemon in daemons)
                daemons[0].signal(signal.SIGKILL)
            senders[number % 2].send(number)
        for sender in senders:
            sender.close()
        found = numbers(daemons)
        assert sorted(set(found)) == list(range(400))
        # What was stored and not answered in the moment of death is there twice.
        assert len(found) <= 400 + len(senders)
        wait_for(lambda: servers_up(ports["8404"]) == 3, "the dead one to be found")


def test_records_name_the_sender_behind_haproxy(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """By the PROXY protocol, over TCP and HTTP; the balancer's checks leave no trace."""
    daemons = receivers(make_daemon)
    with haproxy(daemons, tmp_path) as ports:
        with socket.create_connection(
            ("127.0.0.1", int(ports["5514"])), DEADLINE_SECONDS, ("127.0.0.7", 0)
        ) as sock:
            sock.sendall(b"<13>app: number 1\n")
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""
        request = urllib.request.Request(
            f"http://127.0.0.1:{ports['8080']}/v1/logs",
            b'{"msg": "number 2"}',
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=DEADLINE_SECONDS) as answer:
            assert answer.status == 200
        wait_for(lambda: numbers(daemons) == [1, 2], "both records")
    records = [record for daemon in daemons for record in daemon.records()]
    assert {(r["input"], r["peer"]) for r in records} == {
        ("tcp", "127.0.0.7"),
        ("http", "127.0.0.1"),
    }
    for daemon in daemons:
        page = daemon.metrics()
        assert page.sum("logops_malformed_total") == 0
        assert page.sum("logops_connections_refused_total") == 0


def test_datagrams_go_on_when_a_receiver_dies(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """Senders are spread by address; those of the dead one move, after some datagrams are lost."""
    daemons = receivers(make_daemon)
    port = free_port()
    text = (CLUSTER / "nginx" / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    config = tmp_path / "nginx.conf"
    config.write_text(placed(text, daemons, {"5514": "udp"}, {"5514": port}))
    command = [need("nginx"), "-g", f"{modules()} daemon off;", "-c", config, "-e", "stderr"]
    with process(command, tmp_path / "nginx.log"), contextlib.ExitStack() as stack:
        sources = [f"127.0.1.{number}" for number in range(1, 25)]
        sockets = []
        for source in sources:
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sock.bind((source, 0))
            sockets.append(sock)

        def send(number: int) -> None:
            for sock in sockets:
                sock.sendto(b"<13>app: number %d" % number, ("127.0.0.1", port))

        def arrived(number: int, some: list[Daemon]) -> int:
            send(number)
            return numbers(some).count(number) >= len(sources)

        log = (tmp_path / "nginx.log").read_text
        wait_for(
            lambda: arrived(0, daemons) and all(daemon.raw() for daemon in daemons),
            "a datagram of each sender, some at each receiver",
            hint=log,
        )
        daemons[0].signal(signal.SIGKILL)
        daemons[0].wait_exit()
        wait_for(lambda: arrived(1, daemons[1:]), "the senders of the dead one to move", hint=log)
