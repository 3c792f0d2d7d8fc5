"""Who may send, how many, and how much: the settings of access on the running daemon."""

import signal
import socket

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import Daemon, need, run

COUNT = 500


def closed_at_once(daemon: Daemon, input: str) -> bool:
    """Whether a new connection is closed although nothing was sent on it."""
    with socket.create_connection(daemon.address(input), timeout=20) as sock:
        try:
            return sock.recv(1) == b""
        except ConnectionResetError:
            return True


def test_only_who_is_allowed_is_served(make_daemon: MakeDaemon) -> None:
    """UDP is dropped and counted, connections are closed, the side port stays open; and SIGHUP
    lets them in.
    """
    daemon = make_daemon()
    daemon.directory.mkdir()
    (daemon.directory / ".env").write_text("LOGOPS_ALLOW_FROM=192.0.2.0/24, fd00::/8\n")
    daemon.start()
    daemon.send_udp(*[b"<13>no"] * 5)
    assert closed_at_once(daemon, "tcp")
    assert closed_at_once(daemon, "http")
    daemon.wait_for(
        lambda: daemon.metrics().sum("logops_dropped_total", input="udp", reason="refused") == 5,
        "the datagrams to be refused",
    )
    page = daemon.metrics()
    assert page.sum("logops_connections_refused_total", reason="address") == 2
    assert page.unaccounted("udp") == 0

    (daemon.directory / ".env").write_text("LOGOPS_ALLOW_FROM=127.0.0.0/8\n")
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.events("reload"), "the reload")
    daemon.send_udp(b"<13>yes")
    daemon.send_tcp(b"<13>yes\n")
    assert daemon.post(b'{"msg": "yes"}')[0] == 200
    assert [record["msg"] for record in daemon.wait_records(3)] == ["yes"] * 3


def test_curl_speaks_the_proxy_protocol(make_daemon: MakeDaemon) -> None:
    """From a listed proxy the peer of a record is whom the proxy names."""
    daemon = make_daemon({"LOGOPS_PROXY_FROM": "127.0.0.1"}).start()
    run(
        [
            *(need("curl"), "-sS", "--fail", "--haproxy-protocol"),
            *("-H", "Content-Type: application/json", "-d", '{"msg": "by curl"}'),
            daemon.url("/v1/logs"),
        ]
    )
    with socket.create_connection(daemon.address("tcp")) as sock:
        sock.sendall(b"PROXY TCP4 192.0.2.7 127.0.0.1 1000 514\r\n<13>by proxy\n")
        records = daemon.wait_records(2)

    assert {record["msg"]: record["peer"] for record in records} == {
        "by curl": "127.0.0.1",
        "by proxy": "192.0.2.7",
    }


def test_connections_are_limited(make_daemon: MakeDaemon) -> None:
    """The first ones stay, the one too many is closed and counted."""
    daemon = make_daemon({"LOGOPS_MAX_CONNECTIONS": "2"}).start()
    with socket.create_connection(daemon.address("tcp")) as first:
        first.sendall(b"<13>one\n")
        with socket.create_connection(daemon.address("tcp")) as second:
            second.sendall(b"<13>two\n")
            daemon.wait_records(2)
            assert closed_at_once(daemon, "tcp")
        daemon.wait_for(
            lambda: daemon.metrics().sum("logops_connections", input="tcp") == 1, "it to leave"
        )
        daemon.send_tcp(b"<13>three\n")
        daemon.wait_records(3)
    assert daemon.metrics().sum("logops_connections_refused_total", reason="limit") == 1


def test_a_silent_peer_is_closed(make_daemon: MakeDaemon) -> None:
    """LOGOPS_IDLE_TIMEOUT ends a stream on which nothing comes, and keeps its last line."""
    daemon = make_daemon({"LOGOPS_IDLE_TIMEOUT": "1s"}).start()
    with socket.create_connection(daemon.address("tcp"), timeout=20) as sock:
        sock.sendall(b"<13>last")
        assert sock.recv(1) == b""

    assert daemon.wait_records(1)[0]["msg"] == "last"


def test_a_peer_that_sends_too_much_is_suppressed(make_daemon: MakeDaemon) -> None:
    """What is over its rate is counted, the account closes, and both notices are in the data."""
    daemon = make_daemon({"LOGOPS_RATE_LIMIT": "10"}).start()
    daemon.send_tcp(b"".join(b"<13>n %d\n" % n for n in range(COUNT)))
    daemon.wait_for(
        lambda: daemon.metrics().sum("logops_received_total", input="tcp") == COUNT, "all lines"
    )
    page = daemon.metrics()
    suppressed = int(page.sum("logops_suppressed_total", input="tcp"))
    assert COUNT - 80 <= suppressed <= COUNT - 50
    assert page.unaccounted("tcp") == 0
    daemon.wait_for(lambda: b"suppression began" in daemon.raw(), "the first notice")
    assert daemon.stop() == 0

    records = daemon.records()
    begin, end = (record for record in records if record["emitter"] == "logopsd")
    assert (begin["level"], begin["peer"], begin["input"]) == ("WARN", "127.0.0.1", "tcp")
    assert (end["level"], end["suppressed"]) == ("INFO", suppressed)
    assert len(records) == COUNT - suppressed + 2


def test_http_says_what_was_suppressed(make_daemon: MakeDaemon) -> None:
    """A client that can be told is told: how many of its records were left out."""
    daemon = make_daemon({"LOGOPS_RATE_LIMIT": "1"}).start()
    status, answer = daemon.post(b'[{"msg": "x"}, ' + b'{"msg": "y"}, ' * 8 + b'{"msg": "z"}]')

    assert (status, answer["accepted"], answer["suppressed"]) == (200, 5, 5)
    status, answer = daemon.post(b'[{"msg": "x"}, {"msg": "y"}]')
    assert status == 200
    assert answer["accepted"] + answer["suppressed"] == 2


def test_the_own_log_is_not_taken_in_again(make_daemon: MakeDaemon) -> None:
    """Its lines, sent back as journald would, are dropped; another daemon's are kept."""
    daemon = make_daemon().start()
    other = make_daemon(name="other").start()
    assert other.stop() == 0
    for source in (daemon, other):
        for line in source.log_text().splitlines():
            daemon.send_udp(b"<30>Nov 23 10:00:00 host logopsd[7]: " + line.encode())
    lines = len(other.log_text().splitlines())

    records = daemon.wait_records(lines)
    assert {record["app"] for record in records} == {"logopsd"}
    page = daemon.metrics()
    assert page.sum("logops_dropped_total", reason="own_log") >= 6
    assert page.unaccounted("udp") == 0
