"""Hostile or broken peers: memory stays bounded, files are closed, all others are served."""

import contextlib
import gzip
import http.client
import os
import resource
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, Page
from tests.soak.vitals import open_files, peak_rss_mib, rss_mib

MIB = 1024 * 1024
IDLE_CONNECTIONS = 5_000
FIRST_CONNECTIONS = 2_000  # with which memory grows to its usual size
SHORT_CONNECTIONS = 10_000
SHORT_GROWTH_MIB = 12  # 5 is usual; 17 where what stands for a connection is kept
DEAF_CLIENTS = 4
DEAF_GROWTH_MIB = 30  # 7 is usual; all their answers are 115
BOMB_MIB = 150  # far more than the growth allowed, and than a body may have
SPARE_FILES = 200
FLOOD_SECONDS = 3.0

FLOOD = """
import socket, sys, time
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.connect(("127.0.0.1", int(sys.argv[1])))
message = b"<13>1 2026-11-23T10:00:00Z h app - - - " + b"x" * 100
sent, end = 0, time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    for _ in range(100):
        sock.send(message)
    sent += 100
print(sent)
"""


@pytest.fixture
def many_files() -> Iterator[int]:
    """Let this process, and the daemons it starts, have as many files as it may; how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def settle(daemon: Daemon, files: int) -> None:
    """Wait until the daemon has no more files open than it had."""
    daemon.wait_for(lambda: open_files(daemon.pid) <= files, f"{files} open files at most")


def test_thousands_of_idle_connections(make_daemon: MakeDaemon, many_files: int) -> None:
    """They cost some KiB each, hinder nobody, and leave nothing behind."""
    count = min(IDLE_CONNECTIONS, many_files - SPARE_FILES)
    daemon = make_daemon().start()
    daemon.send_tcp(b"<13>first\n")
    daemon.wait_records(1)
    files, before = open_files(daemon.pid), rss_mib(daemon.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            sock = stack.enter_context(socket.create_connection(daemon.address("tcp")))
            sock.send(b"<13>begun")
        daemon.wait_for(
            lambda: daemon.metrics().sum("logops_connections", input="tcp") == count,
            f"{count} connections",
        )
        grown = rss_mib(daemon.pid) - before
        print(f"{count} idle connections: {grown:.0f} MiB, {grown * 1024 / count:.1f} KiB each")
        assert grown < 120
        daemon.send_tcp(b"<13>served\n")
        daemon.wait_records(2)
    daemon.wait_records(2 + count)
    settle(daemon, files)
    assert daemon.metrics().sum("logops_connections") == 0
    assert daemon.metrics().unaccounted("tcp") == 0


def test_thousands_of_short_connections(make_daemon: MakeDaemon) -> None:
    """Each is taken, what it sent is stored, and memory stays where it was."""
    daemon = make_daemon().start()
    daemon.send_tcp(b"<13>first\n")
    daemon.wait_records(1)
    files = open_files(daemon.pid)
    address, workers = daemon.address("tcp"), 4

    def knock(own: str, times: int) -> None:
        for number in range(times):
            # From an address of its own: one has 28,000 ports, which rest for a minute each.
            with socket.create_connection(address, source_address=(own, 0)) as sock:
                sock.sendall(b"<13>%d\n" % number)

    def knock_all(connections: int) -> None:
        each = connections // workers
        threads = [
            threading.Thread(target=knock, args=(f"127.0.1.{n}", each)) for n in range(workers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    knock_all(FIRST_CONNECTIONS)
    daemon.wait_records(1 + FIRST_CONNECTIONS)
    before, began = rss_mib(daemon.pid), time.monotonic()
    knock_all(SHORT_CONNECTIONS)
    daemon.wait_records(1 + FIRST_CONNECTIONS + SHORT_CONNECTIONS, timeout=60)
    took, grown = time.monotonic() - began, rss_mib(daemon.pid) - before
    print(f"{SHORT_CONNECTIONS} connections in {took:.1f} s, grown by {grown:.1f} MiB")
    assert grown < SHORT_GROWTH_MIB
    settle(daemon, files)
    assert daemon.metrics().unaccounted("tcp") == 0


def test_a_daemon_with_few_files_keeps_some_for_itself(make_daemon: MakeDaemon) -> None:
    """Connections beyond its room are refused and counted, and the sink writes on."""
    daemon = make_daemon()
    daemon.prefix = ["bash", "-c", 'ulimit -n 100; exec "$@"', "-"]
    daemon.start()
    daemon.send_tcp(b"<13>first\n")
    daemon.wait_records(1)
    with contextlib.ExitStack() as stack:
        held = []
        for _ in range(120):
            held.append(stack.enter_context(socket.create_connection(daemon.address("tcp"))))
            daemon.wait_for(lambda: open_files(daemon.pid) < 90, "refused ones to be closed")
        # Those for which no descriptor was left wait in the backlog, and are refused from there.
        daemon.wait_for(
            lambda: daemon.metrics().sum("logops_connections_refused_total", reason="limit") >= 80,
            "most to be refused",
        )
        held[0].sendall(b"<13>still served\n")
        daemon.wait_records(2)
    daemon.wait_for(lambda: daemon.metrics().sum("logops_connections") == 0, "all to be gone")
    daemon.send_tcp(b"<13>served again\n")
    daemon.wait_records(3)
    assert daemon.stop() == 0


def test_half_open_connections_are_closed(make_daemon: MakeDaemon) -> None:
    """A peer that vanished without a word is let go after the time-out that is set."""
    daemon = make_daemon({"LOGOPS_IDLE_TIMEOUT": "1s"}).start()
    daemon.send_tcp(b"<13>first\n")
    daemon.wait_records(1)
    files = open_files(daemon.pid)
    gone = []
    for _ in range(50):
        sock = socket.create_connection(daemon.address("tcp"))
        sock.sendall(b"<13>last words\n<13>begun")
        gone.append(sock)
    daemon.wait_for(lambda: daemon.raw().count(b"last words") == 50, "what was sent before")
    try:
        for sock in gone:  # a socket under repair is closed without telling the other side
            sock.setsockopt(socket.IPPROTO_TCP, 19, 1)
    except OSError:
        pass  # without the right to do so they are silent, which is much the same
    else:
        for sock in gone:
            sock.close()
    settle(daemon, files)
    daemon.wait_records(101)
    for sock in gone:
        sock.close()


def test_clients_that_read_no_answers(make_daemon: MakeDaemon) -> None:
    """Requests are not read either then: what is not taken does not pile up."""
    daemon = make_daemon().start()
    daemon.metrics()
    before = rss_mib(daemon.pid)
    pipelined = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 2000  # of 2 ms each
    with contextlib.ExitStack() as stack:
        for _ in range(DEAF_CLIENTS):
            sock = stack.enter_context(socket.socket())
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.connect(daemon.address("metrics"))
            sock.settimeout(0.05)
            with contextlib.suppress(TimeoutError):
                sock.sendall(pipelined)
        assert daemon.get("/healthz", "metrics")[0] == 200
        grown = rss_mib(daemon.pid) - before
        print(f"{DEAF_CLIENTS} clients that read nothing, of 2000 requests: {grown:.1f} MiB")
        assert grown < DEAF_GROWTH_MIB


@pytest.mark.parametrize("coding", ["plain", "gzip"])
def test_a_body_that_never_ends(make_daemon: MakeDaemon, coding: str) -> None:
    """It is refused at its limit, as sent and decompressed, and never held beyond it."""
    daemon = make_daemon({"LOGOPS_HTTP_MAX_BODY": "2MiB"}).start()
    daemon.post(b'{"msg": "first"}')
    before = rss_mib(daemon.pid)
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\n"
    head += b"Content-Encoding: gzip\r\n" if coding == "gzip" else b""
    packer = zlib.compressobj(0, wbits=31)
    with socket.create_connection(daemon.address("http"), timeout=DEADLINE_SECONDS) as sock:
        sock.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 64 * MIB:  # behind the answer it is read away for some seconds
                piece = b"x" * 65536
                if coding == "gzip":
                    piece = packer.compress(piece) + packer.flush(zlib.Z_SYNC_FLUSH)
                sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
                sent += len(piece)
        assert sock.recv(65536).startswith(b"HTTP/1.1 413 ")
    assert peak_rss_mib(daemon.pid) - before < 40
    assert daemon.post(b'{"msg": "second"}')[0] == 200
    assert [record["msg"] for record in daemon.records()] == ["first", "second"]


def test_a_gzip_bomb(make_daemon: MakeDaemon) -> None:
    """A hundred KiB that would become a thousand times as much are refused at a body's limit."""
    daemon = make_daemon().start()
    daemon.post(b'{"msg": "first"}')
    before = peak_rss_mib(daemon.pid)
    packer = zlib.compressobj(9, wbits=31)
    zeros = b"\n" * MIB
    bomb = b"".join(packer.compress(zeros) for _ in range(BOMB_MIB)) + packer.flush()
    connection = http.client.HTTPConnection(*daemon.address("http"), timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection):
        headers = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
        connection.request("POST", "/v1/logs", bomb, headers)
        answer = connection.getresponse()
        assert (answer.status, len(answer.read()) > 0) == (413, True)
    grown = peak_rss_mib(daemon.pid) - before
    print(f"a bomb of {len(bomb) // 1024} KiB for {BOMB_MIB} MiB: {grown:.1f} MiB")
    assert grown < 60
    good = gzip.compress(b"second")
    connection = http.client.HTTPConnection(*daemon.address("http"), timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection):
        connection.request("POST", "/v1/logs", good, headers)
        assert connection.getresponse().read()
    daemon.wait_records(2)


def test_many_bodies_at_once(make_daemon: MakeDaemon) -> None:
    """The sum of all bodies under way is bounded: beyond it 503, and the others go on."""
    daemon = make_daemon().start()
    daemon.post(b'{"msg": "first"}')
    head = b"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: %d"
    with contextlib.ExitStack() as stack:
        socks = []
        for _ in range(40):
            sock = stack.enter_context(socket.create_connection(daemon.address("http")))
            sock.settimeout(DEADLINE_SECONDS)
            socks.append(sock)
            with contextlib.suppress(ConnectionError):
                sock.sendall(head % (12 * MIB) + b"\r\n\r\n" + b"x" * (10 * MIB))
        peak = peak_rss_mib(daemon.pid)
        print(f"40 bodies of 10 MiB under way: {peak:.0f} MiB at most")
        assert peak < 450
        assert daemon.get("/healthz")[0] == 200
    assert daemon.post(b'{"msg": "last"}')[0] == 200


def test_frames_that_promise_a_gigabyte(make_daemon: MakeDaemon) -> None:
    """What is announced is not reserved, and of what comes no more than a message is held."""
    daemon = make_daemon().start()
    daemon.send_tcp(b"<13>first\n")
    daemon.wait_records(1)
    before = rss_mib(daemon.pid)
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            sock = stack.enter_context(socket.create_connection(daemon.address("tcp")))
            sock.sendall(b"999999999 <13>1 - - - - - - ")
            for _ in range(8):
                sock.sendall(b"x" * (512 * 1024))
        grown = peak_rss_mib(daemon.pid) - before
        print(f"20 frames of a gigabyte, 4 MiB each of them there: {grown:.1f} MiB")
        assert grown < 60
    records = daemon.wait_records(21)
    assert {len(record["msg"]) > 200_000 for record in records[1:]} == {True}
    assert all(record["truncated"] for record in records[1:])
    assert daemon.metrics().sum("logops_malformed_total", reason="resync") == 20


def received(page: Page) -> int:
    """Datagrams that were read."""
    return int(page.sum("logops_received_total", input="udp"))


def dropped(page: Page) -> int:
    """Datagrams that the kernel dropped."""
    return int(page.sum("logops_udp_kernel_drops_total"))


def test_a_flood_over_udp_leaves_tcp_served(make_daemon: MakeDaemon) -> None:
    """Whoever waits for an answer gets it while datagrams pour in, and every one is accounted."""
    daemon = make_daemon().start()
    flood = [sys.executable, "-c", FLOOD, daemon.port("udp"), str(FLOOD_SECONDS)]
    waits = []
    with subprocess.Popen(flood, stdout=subprocess.PIPE) as sender:
        with socket.create_connection(daemon.address("tcp")) as sock:
            while sender.poll() is None:
                began = time.monotonic()
                sock.sendall(b"<13>served\n")
                assert daemon.post(b'{"msg": "answered"}')[0] == 200
                waits.append(time.monotonic() - began)
        assert sender.stdout is not None
        sent = int(sender.stdout.read())

    def accounted() -> int:
        return received(daemon.metrics()) + dropped(daemon.metrics())

    daemon.wait_for(lambda: accounted() == sent, f"{sent} datagrams in the account")
    page = daemon.metrics()
    print(
        f"{sent / FLOOD_SECONDS:,.0f} datagrams/s, the kernel dropped {dropped(page) / sent:.0%}; "
        f"{len(waits)} requests meanwhile, the slowest took {max(waits):.2f} s; "
        f"{peak_rss_mib(daemon.pid):.0f} MiB"
    )
    assert received(page) + dropped(page) == sent
    assert page.sum("logops_accepted_total", input="tcp") == len(waits)
    assert max(waits) < 3.0
    assert peak_rss_mib(daemon.pid) < 400
    daemon.wait_for(lambda: daemon.metrics().sum("logops_inflight") == 0, "the disk")
    assert daemon.metrics().unaccounted("udp") == 0


def test_a_daemon_under_load_ends_in_time(make_daemon: MakeDaemon) -> None:
    """SIGTERM in the midst of a flood and with connections open keeps the promise of 10 s."""
    daemon = make_daemon().start()
    flood = [sys.executable, "-c", FLOOD, daemon.port("udp"), "8"]
    with subprocess.Popen(flood, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sender:
        with contextlib.ExitStack() as stack:
            for _ in range(200):
                sock = stack.enter_context(socket.create_connection(daemon.address("tcp")))
                sock.sendall(b"<13>begun")
            daemon.wait_for(lambda: os.path.getsize(next(daemon.sink.glob("*"))) > 0, "a flood")
            assert daemon.stop() == 0
        sender.kill()
