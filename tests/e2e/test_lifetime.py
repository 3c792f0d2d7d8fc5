"""Start and end: what was acknowledged is stored, whatever comes when."""

import contextlib
import http.client
import json
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, wait_for


class HttpClient(threading.Thread):
    """Posts one batch after the other; keeps the numbers of those answered with 200."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self.acknowledged: list[int] = []
        self._address = daemon.address("http")

    def run(self) -> None:
        """Go on until the daemon no longer takes any."""
        connection = http.client.HTTPConnection(*self._address, timeout=20)
        headers = {"Content-Type": "application/json"}
        with (
            contextlib.closing(connection),
            contextlib.suppress(OSError, http.client.HTTPException),
        ):
            for first in range(0, 10_000_000, 50):
                numbers = range(first, first + 50)
                body = json.dumps([{"msg": f"http {number}"} for number in numbers])
                connection.request("POST", "/v1/logs", body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    return
                self.acknowledged += numbers


class TcpSender(threading.Thread):
    """Sends numbered lines, some 50,000 a second, until the daemon hangs up."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__()
        self.sent = 0
        self._sock = socket.create_connection(daemon.address("tcp"), timeout=20)

    def run(self) -> None:
        """Go on until the connection ends."""
        with self._sock, contextlib.suppress(OSError):
            while True:
                lines = [b"<13>app: tcp %d\n" % n for n in range(self.sent, self.sent + 100)]
                self._sock.sendall(b"".join(lines))
                self.sent += 100
                time.sleep(0.002)  # a load, not a flood: the test has to read it all again


@pytest.mark.parametrize("fsync", ["always", "1s", "never"])
def test_sigterm_under_load_loses_nothing_that_was_acknowledged(
    make_daemon: MakeDaemon, fsync: str
) -> None:
    """Each record answered with 200 is in the file, and what TCP brought has no gap; status 0."""
    daemon = make_daemon({"LOGOPS_FSYNC": fsync}).start()
    clients = [HttpClient(daemon), HttpClient(daemon)]
    sender = TcpSender(daemon)
    for thread in (*clients, sender):
        thread.start()
    daemon.wait_for(
        lambda: all(len(c.acknowledged) > 200 for c in clients) and sender.sent > 1000,
        "the load to be on",
    )

    began = time.monotonic()
    assert daemon.stop(signal.SIGTERM) == 0
    took = time.monotonic() - began
    for thread in (*clients, sender):
        thread.join()

    assert took < 10
    stored = daemon.records()
    by_http = [int(r["msg"].removeprefix("http ")) for r in stored if r["input"] == "http"]
    for client in clients:
        assert set(client.acknowledged) <= set(by_http)
    assert all(by_http.count(number) <= 2 for number in by_http[-10:])  # two clients, one each
    by_tcp = [r["msg"] for r in stored if r["input"] == "tcp"]
    # The very last line may have been cut by the end of the connection, anywhere in it.
    assert by_tcp[:-1] == [f"tcp {n}" for n in range(len(by_tcp) - 1)]
    assert len(by_tcp) > 900


def test_what_tcp_has_delivered_before_sigterm_is_stored(daemon: Daemon) -> None:
    """Bytes that lie in the daemon's receive buffer when it is told to end are read out."""
    lines = b"".join(b"line %d\n" % n for n in range(2000))
    with socket.create_connection(daemon.address("tcp")) as sock:
        sock.sendall(lines)
        assert daemon.stop() == 0

    assert [record["msg"] for record in daemon.records()] == [f"line {n}" for n in range(2000)]


def test_what_udp_has_delivered_before_sigterm_is_stored(daemon: Daemon) -> None:
    """Datagrams that the kernel holds when the daemon is told to end are read out."""
    daemon.send_udp(*(b"line %d" % n for n in range(200)))
    assert daemon.stop() == 0

    assert [record["msg"] for record in daemon.records()] == [f"line {n}" for n in range(200)]


def test_a_silent_peer_does_not_hold_up_the_end(daemon: Daemon) -> None:
    """Open connections, half a line and half a request in them, do not delay the exit."""
    with (
        socket.create_connection(daemon.address("tcp")) as tcp,
        socket.create_connection(daemon.address("http")) as half,
        socket.create_connection(daemon.address("http")),
    ):
        tcp.sendall(b"whole\nhalf a li")
        half.sendall(b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc")
        daemon.wait_records(1)
        assert daemon.stop() == 0

    assert [record["msg"] for record in daemon.records()] == ["whole", "half a li"]


def test_ctrl_c_is_an_ordinary_end(daemon: Daemon) -> None:
    """SIGINT ends it as SIGTERM does; the log says that it stopped, and shows no traceback."""
    daemon.send_udp(b"hello")
    daemon.wait_records(1)

    assert daemon.stop(signal.SIGINT) == 0
    assert daemon.events("stopped")


def test_start_again_appends(daemon: Daemon) -> None:
    """A second start on the same directory goes on in the same file."""
    daemon.send_tcp(b"first life\n")
    daemon.wait_records(1)
    assert daemon.stop() == 0
    daemon.start()
    daemon.send_tcp(b"second life\n")

    assert [record["msg"] for record in daemon.wait_records(2)] == ["first life", "second life"]
    assert len(list(daemon.sink.glob("*.ndjson"))) == 1


def test_two_daemons_never_share_a_directory(make_daemon: MakeDaemon) -> None:
    """The second one refuses to start and says why; the first goes on."""
    first = make_daemon().start()
    second = make_daemon({"LOGOPS_SINK_DIR": str(first.sink)}, name="second")
    second.allowed.add("cannot start")
    second.spawn()

    assert second.wait_exit() == 1
    assert str(first.sink) in second.log_text()
    first.send_tcp(b"still here\n")
    assert len(first.wait_records(1)) == 1


def test_a_port_in_use_is_named_with_the_mend(make_daemon: MakeDaemon) -> None:
    """A port that somebody else has ends the start with status 1 and one clear line."""
    first = make_daemon().start()
    port = first.port("tcp")
    second = make_daemon({"LOGOPS_TCP_PORT": port}, name="second")
    second.allowed.add("cannot start")
    second.spawn()

    assert second.wait_exit() == 1
    (event,) = second.events("cannot start")
    assert port in event["problem"]
    assert "Traceback" not in second.log_text()


def test_systemd_is_told(make_daemon: MakeDaemon, tmp_path: Path) -> None:
    """READY once it listens, WATCHDOG while it lives, STOPPING at the end (sd_notify)."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as notify:
        notify.bind(path)
        said: list[str] = []

        def heard(text: str) -> bool:
            with contextlib.suppress(BlockingIOError):
                while True:
                    said.extend(notify.recv(4096).decode().split("\n"))
            return text in said

        daemon = make_daemon()
        daemon.env |= {"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"}
        daemon.start()
        daemon.wait_for(lambda: heard("READY=1"), "READY=1")
        daemon.wait_for(lambda: said.count("WATCHDOG=1") > 2 or heard("never"), "WATCHDOG=1")
        assert daemon.stop() == 0
        wait_for(lambda: heard("STOPPING=1"), "STOPPING=1")

    assert any(line.startswith("STATUS=") for line in said)
