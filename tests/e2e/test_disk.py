"""A disk that is full, read-only or gone, under all inputs at once: a real small one.

Whoever can be told waits and loses nothing, the rest is counted, and all goes on by itself.
"""

import contextlib
import errno
import http.client
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeDaemon
from tests.e2e.harness import DEADLINE_SECONDS, Daemon, wait_for
from tests.e2e.relp_client import RelpClient

PAD = "x" * 400
MEMORY_BYTES = 96 * 2**20  # of the daemon: 40 MiB on start, and the high-water mark
PAUSE_SECONDS = 0.005

_TEXT = re.compile(rb'"msg":"((?:tcp|udp|relp|http) \d+) x')


def fill(disk: Path, left: int = 0) -> Path:
    """Fill the disk but for so many bytes."""
    ballast = disk / "ballast"

    def filled() -> bool:
        ballast.unlink(missing_ok=True)
        there = os.statvfs(disk)
        try:
            ballast.write_bytes(bytes(there.f_bavail * there.f_frsize - left))
        except OSError as error:  # the daemon took some of the room meanwhile
            if error.errno != errno.ENOSPC:
                raise
            return False
        return True

    wait_for(filled, "the disk to be filled")
    return ballast


class Sender(threading.Thread):
    """Sends numbered messages by one input until it is told to end."""

    def __init__(self, kind: str, daemon: Daemon) -> None:
        super().__init__(name=kind, daemon=True)
        self.sent = 0
        self.answered = 0
        self.ending = threading.Event()
        self.failure: BaseException | None = None
        self._kind = kind
        self._address = daemon.address(kind)

    def run(self) -> None:
        """Go on to the end, and remember what went wrong."""
        try:
            {"tcp": self._tcp, "udp": self._udp, "relp": self._relp, "http": self._http}[
                self._kind
            ]()
        except BaseException as error:
            self.failure = error

    def _texts(self, count: int) -> list[str]:
        texts = [f"{self._kind} {n} {PAD}" for n in range(self.sent, self.sent + count)]
        self.sent += count
        return texts

    def _tcp(self) -> None:
        with socket.create_connection(self._address, timeout=DEADLINE_SECONDS) as sock:
            while not self.ending.is_set():
                sock.sendall("".join(f"<13>{text}\n" for text in self._texts(20)).encode())
                time.sleep(PAUSE_SECONDS)
            sock.shutdown(socket.SHUT_WR)
            assert sock.recv(1) == b""

    def _udp(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(self._address)
            while not self.ending.is_set():
                sock.send(b"<13>" + self._texts(1)[0].encode())
                time.sleep(PAUSE_SECONDS)

    def _relp(self) -> None:
        with RelpClient(self._address, DEADLINE_SECONDS) as client:
            while not self.ending.is_set():
                for text in self._texts(10):
                    client.send(b"<13>" + text.encode())
                client.flush()
                for _ in range(10):
                    client.answered()
                    self.answered += 1
                time.sleep(PAUSE_SECONDS)
            client.close()

    def _http(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=DEADLINE_SECONDS)
        with contextlib.closing(connection):
            while not self.ending.is_set():
                body = json.dumps([{"msg": text} for text in self._texts(5)])
                while True:
                    headers = {"Content-Type": "application/json"}
                    connection.request("POST", "/v1/logs", body, headers)
                    answer = connection.getresponse()
                    answer.read()
                    if answer.status == 200:
                        break
                    assert answer.status == 503
                    time.sleep(10 * PAUSE_SECONDS)
                self.answered += 5
                time.sleep(PAUSE_SECONDS)


class Senders:
    """One of each kind."""

    def __init__(self, daemon: Daemon) -> None:
        self.tcp, self.udp, self.relp, self.http = self.all = [
            Sender(kind, daemon) for kind in ("tcp", "udp", "relp", "http")
        ]
        self._daemon = daemon

    def __enter__(self) -> "Senders":
        for sender in self.all:
            sender.start()
        self.until_all_go_on()
        return self

    def __exit__(self, *error: object) -> None:
        for sender in self.all:
            sender.ending.set()
        if error[0] is None:  # else they may wait for what never comes
            self.join()

    def join(self) -> None:
        """Wait until each has sent what it began and was answered."""
        for sender in self.all:
            sender.join(DEADLINE_SECONDS)
            assert not sender.is_alive(), sender.name

    def until_all_go_on(self) -> None:
        """Wait until each has sent, and had answered, something more."""
        before = [(sender.sent, sender.answered) for sender in self.all]

        def go_on() -> bool:
            return all(
                sender.sent > sent + 20 and (sender in (self.tcp, self.udp) or sender.answered > a)
                for sender, (sent, a) in zip(self.all, before, strict=True)
            )

        self._daemon.wait_for(go_on, "all senders to go on")

    def until_paused(self) -> None:
        """Wait until streams stand still, HTTP is told to wait and datagrams are dropped."""
        status, retry_after = post(self._daemon)
        assert status == 503
        assert int(retry_after) > 0
        self._daemon.wait_for(
            lambda: dropped(self._daemon, "backpressure") > 10, "datagrams to be dropped"
        )
        self._daemon.wait_for(lambda: stands_still(self.tcp), "TCP to be paused")


def post(daemon: Daemon) -> tuple[int, str]:
    """POST a record; return status and Retry-After."""
    connection = http.client.HTTPConnection(*daemon.address("http"), timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection):
        headers = {"Content-Type": "application/json"}
        connection.request("POST", "/v1/logs", b'{"msg":"not now"}', headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Retry-After", "")


def stands_still(sender: Sender) -> bool:
    """Nothing was sent for far longer than a sender that may go on would wait."""
    before = sender.sent
    time.sleep(40 * PAUSE_SECONDS)
    return sender.sent == before


def dropped(daemon: Daemon, reason: str) -> float:
    """Datagrams dropped for a reason."""
    return daemon.metrics().sum("logops_dropped_total", input="udp", reason=reason)


def stalled(daemon: Daemon) -> bool:
    """What the metric says."""
    return daemon.metrics().sum("logops_sink_stalled") == 1


def check_account(daemon: Daemon, senders: Senders) -> None:
    """All that was taken is in the files once, and the account closes to the record."""
    for sender in senders.all:
        assert sender.failure is None, sender.failure
    daemon.wait_for(lambda: daemon.metrics().sum("logops_inflight") == 0, "all to be stored")
    page = daemon.metrics()
    assert daemon.stop() == 0
    daemon.records()  # each line is whole
    found = Counter(text.decode() for text in _TEXT.findall(daemon.raw()))
    assert not [text for text, count in found.items() if count > 1]
    by_kind = Counter(text.split()[0] for text in found)
    for sender in (senders.tcp, senders.relp, senders.http):
        assert by_kind[sender.name] == sender.sent, sender.name
    assert senders.relp.answered == senders.relp.sent
    assert senders.http.answered == senders.http.sent
    assert by_kind["udp"] == page.sum("logops_accepted_total", input="udp")
    received = page.sum("logops_received_total", input="udp")
    assert received + page.sum("logops_udp_kernel_drops_total") == senders.udp.sent
    for name in page.inputs():
        assert page.unaccounted(name) == 0
    lost = dropped_of(page)
    print(f"{sum(found.values())} records stored; datagrams dropped: {lost:g} of {received:g}")


def dropped_of(page) -> float:
    """Datagrams dropped, by a page."""
    return page.sum("logops_dropped_total", input="udp")


def on(disk: Path, make_daemon: MakeDaemon, **more: str) -> Daemon:
    """A daemon that writes to the disk, and whose stalls are no surprise."""
    daemon = make_daemon(
        {
            "LOGOPS_SINK_DIR": str(disk / "ingest"),
            "LOGOPS_RELP_PORT": "any",
            "LOGOPS_SINK_HIGH_WATER": "1MiB",
            "LOGOPS_MIN_FREE_BYTES": "0",
            **more,
        }
    )
    daemon.sink = disk / "ingest"
    daemon.allowed.add("sink stalled")
    return daemon.start()


@pytest.mark.parametrize(("fsync", "reserve"), [("always", "0"), ("1s", "2MiB")])
def test_a_full_disk(disk: Path, make_daemon: MakeDaemon, fsync: str, reserve: str) -> None:
    """All wait or are counted while it is full, and nothing is missing or doubled after it."""
    daemon = on(disk, make_daemon, LOGOPS_FSYNC=fsync, LOGOPS_MIN_FREE_BYTES=reserve)
    with Senders(daemon) as senders:
        ballast = fill(disk, left=2**20 if reserve == "0" else 8 * 2**20)
        daemon.wait_for(lambda: stalled(daemon), "the sink to stall")
        senders.until_paused()
        answered = senders.relp.answered
        status, ready = daemon.get("/readyz", "metrics")
        assert status == 503
        assert "ENOSPC" in ready
        page = daemon.metrics()
        assert page.sum("logops_sink_pending_bytes") < 2 * 2**20
        assert page.sum("process_resident_memory_bytes") < MEMORY_BYTES
        if reserve != "0":
            there = os.statvfs(disk)
            assert there.f_bavail * there.f_frsize >= 2 * 2**20
        assert senders.relp.answered == answered
        ballast.unlink()
        daemon.wait_for(lambda: not stalled(daemon), "the sink to write again")
        senders.until_all_go_on()
        daemon.wait_for(lambda: daemon.get("/readyz", "metrics")[0] == 200, "to be ready")
    check_account(daemon, senders)
    assert daemon.events("sink stalled")
    assert daemon.events("sink writes again")


def test_a_directory_that_is_gone(disk: Path, make_daemon: MakeDaemon) -> None:
    """It is noticed within a second or so; what was written before it was noticed is there too."""
    daemon = on(disk, make_daemon)
    with Senders(daemon) as senders:
        daemon.sink.rename(disk / "away")
        daemon.wait_for(lambda: stalled(daemon), "the sink to stall")
        senders.until_paused()
        assert "ENOENT" in daemon.get("/readyz", "metrics")[1]
        daemon.sink.mkdir()
        daemon.wait_for(lambda: not stalled(daemon), "the sink to write again")
        senders.until_all_go_on()
    daemon.wait_for(lambda: daemon.metrics().sum("logops_inflight") == 0, "all to be stored")
    for path in (disk / "away").glob("*.ndjson"):  # what was there before
        path.rename(daemon.sink / f"2000{path.name[4:]}")
    check_account(daemon, senders)


@contextlib.contextmanager
def read_only(directory: Path) -> Iterator[None]:
    """Put a read-only mount of the directory over it: what is opened anew meets it.

    The kernel refuses to turn a file system itself while a file is open for writing. It refuses a
    mount too, which the daemon may have opened the next file of already: so this one is turned
    aside, where nobody knows it, and comes over the directory read-only.
    """
    aside = directory.with_name("aside")
    aside.mkdir()
    subprocess.run(["mount", "--bind", str(directory), str(aside)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(aside)], check=True)
        subprocess.run(["mount", "--bind", str(aside), str(directory)], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", str(directory)], check=True)
    finally:
        subprocess.run(["umount", str(aside)], check=True)


def test_a_disk_that_turns_read_only(disk: Path, make_daemon: MakeDaemon) -> None:
    """EROFS at the next file stalls as a full disk does, and ends by itself."""
    daemon = on(disk, make_daemon, LOGOPS_SINK_MAX_BYTES="256KiB")
    with Senders(daemon) as senders:
        with read_only(daemon.sink):
            daemon.wait_for(lambda: stalled(daemon), "the sink to stall")
            senders.until_paused()
            assert "EROFS" in daemon.get("/readyz", "metrics")[1]
        daemon.wait_for(lambda: not stalled(daemon), "the sink to write again")
        senders.until_all_go_on()
    check_account(daemon, senders)


def test_a_stop_on_a_full_disk_says_what_is_lost(disk: Path, make_daemon: MakeDaemon) -> None:
    """It ends in time with status 1, and the log says how many records could not be written."""
    daemon = on(disk, make_daemon)
    daemon.allowed.add("not all could be written")
    fill(disk)
    # More than the page of the file that is open has room for.
    daemon.send_tcp(b"".join(b"<13>tcp %d %s\n" % (n, PAD.encode()) for n in range(100)))
    daemon.wait_for(lambda: stalled(daemon), "the sink to stall")

    assert daemon.stop() == 1
    (event,) = daemon.events("not all could be written")
    stored = len(daemon.raw().splitlines()) if daemon.raw().endswith(b"\n") else None
    assert event["reason"].startswith("ENOSPC")
    assert 0 < event["records"] <= 100
    assert stored is None or stored + event["records"] >= 100
    wait_for(lambda: daemon.events("stopped"), "its last words")
