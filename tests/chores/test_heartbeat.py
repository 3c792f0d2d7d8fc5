import asyncio
import errno
import os
import signal
import socket
import threading

import pytest

from logopsd.chores.heartbeat import Heartbeat
from logopsd.daemon import Daemon
from tests.test_daemon import CapturedLog, settings


class FakeSink:
    """Says what a test wants it to say."""

    stalled: str | None = None
    failed = False


class Way:
    """Takes beats, and gives them back when told to."""

    def __init__(self) -> None:
        self.under_way: list = []

    def send(self, back) -> None:
        """Take one."""
        self.under_way.append(back)


@pytest.fixture
def parts():
    """Give a heartbeat, its way and its sink."""
    way, sink = Way(), FakeSink()
    return Heartbeat(way.send, sink), way, sink


def test_it_lives_while_beats_come_back(parts):
    """Each look sends the next beat once the last one is back."""
    heartbeat, way, _ = parts
    for _ in range(3):
        assert heartbeat.alive()
        assert len(way.under_way) == 1
        way.under_way.pop()()


def test_a_beat_that_does_not_come_back_is_noticed(parts):
    """And no second one is sent behind it; when it comes after all, the daemon lives."""
    heartbeat, way, _ = parts
    assert heartbeat.alive()
    assert not heartbeat.alive()
    assert not heartbeat.alive()
    assert len(way.under_way) == 1
    way.under_way.pop()()
    assert heartbeat.alive()


def test_a_disk_that_fails_is_no_reason_to_be_killed(parts):
    """A stalled sink holds beats up, and says why: another process would fare no better."""
    heartbeat, _, sink = parts
    assert heartbeat.alive()
    sink.stalled = "ENOSPC: No space left on device"
    assert heartbeat.alive()


def test_a_dead_writer_is(parts):
    """A thread that ended by a bug does not come back."""
    heartbeat, way, sink = parts
    assert heartbeat.alive()
    way.under_way.pop()()
    sink.failed, sink.stalled = True, "internal error: KeyError"
    assert not heartbeat.alive()


class Manager:
    """The service manager's end of sd_notify, with a watchdog that a busy machine can feed."""

    def __init__(self, tmp_path, monkeypatch) -> None:
        address = str(tmp_path / "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.sock.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        monkeypatch.setenv("WATCHDOG_USEC", "800000")
        monkeypatch.delenv("WATCHDOG_PID", raising=False)

    async def hear(self, text: str) -> None:
        """Wait until the daemon says something, from now on."""
        self.drain()
        loop = asyncio.get_running_loop()
        said = ""
        async with asyncio.timeout(10):
            while text not in said.split("\n"):
                said = (await loop.sock_recv(self.sock, 4096)).decode()

    def drain(self) -> list[str]:
        """Take what was said since."""
        said = []
        while True:
            try:
                said += self.sock.recv(4096).decode().split("\n")
            except BlockingIOError:
                return said


@pytest.fixture
def manager(tmp_path, monkeypatch):
    """Give a manager that ends with the test."""
    made = Manager(tmp_path, monkeypatch)
    yield made
    made.sock.close()


def test_the_watchdog_is_fed_while_the_disk_stalls(tmp_path, manager, monkeypatch):
    """The daemon waits for its disk alive; it is fed before, meanwhile and after."""
    log = CapturedLog()

    async def live() -> int:
        daemon = Daemon(settings(tmp_path), log.log)
        backend = daemon._parts.sink._backend
        write = backend.write
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        await manager.hear("WATCHDOG=1")

        full = True

        def perhaps() -> None:
            if full:
                raise OSError(errno.ENOSPC, "No space left on device")
            write()

        backend.write = perhaps
        await log.until("sink stalled")
        await manager.hear("WATCHDOG=1")
        await manager.hear("WATCHDOG=1")
        full = False
        await log.until("sink writes again")
        await manager.hear("WATCHDOG=1")
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    assert asyncio.run(live()) == 0
    assert log.all("heartbeat lost") == []


def test_the_watchdog_is_not_fed_while_the_writer_thread_hangs(tmp_path, manager):
    """A thread that waits for something that never comes is no disk: systemd is to act."""
    log = CapturedLog()
    go_on = threading.Event()

    async def live() -> int:
        daemon = Daemon(settings(tmp_path), log.log)
        sink = daemon._parts.sink
        hand_up = sink._hand_up
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        sink._hand_up = lambda started: go_on.wait(20) and hand_up(started)
        await log.until("heartbeat lost")
        manager.drain()
        await asyncio.sleep(0.2)  # in which ten would come
        assert "WATCHDOG=1" not in manager.drain()
        go_on.set()
        await manager.hear("WATCHDOG=1")
        os.kill(os.getpid(), signal.SIGTERM)
        return await running

    assert asyncio.run(live()) == 0


def test_a_crash_of_the_writer_thread_ends_the_daemon(tmp_path):
    """It is logged with its cause, what was not stored is counted, and systemd restarts us."""
    log = CapturedLog()

    async def live() -> tuple[int, Daemon]:
        daemon = Daemon(settings(tmp_path), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")

        def fail() -> None:
            raise KeyError("a defect")

        daemon._parts.sink._backend.write = fail
        address = next(e["address"] for e in log.all("listening") if e["input"] == "udp")
        host, port = address.removeprefix("udp://").split(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"<13>lost", (host, int(port)))
            return await running, daemon

    status, daemon = asyncio.run(live())
    assert status == 1
    (failure,) = log.all("sink failed")
    assert type(failure["exc_info"]) is KeyError
    udp = daemon._parts.metrics.input("udp")
    assert (udp.received, udp.inflight, udp.dropped["shutdown"]) == (1, 0, 1)
