"""The whole daemon over a disk and a clock that are ours: midnight, slow, hanging, failing."""

import asyncio
import errno
import json
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from logopsd.daemon import Daemon
from logopsd.sinks.ndjson import NdjsonSink
from tests.faults.helpers import FaultyFiles
from tests.test_daemon import CapturedLog, settings, stored

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
CLIENTS = 25
REQUESTS = 8  # of each client


class SlowFiles(FaultyFiles):
    """Fails as FaultyFiles does, and takes its time.

    Attributes:
        fsync_seconds: how long an fsync takes.
        hangs: a write that finds it set waits for `go_on`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.fsync_seconds = 0.0
        self.hangs = threading.Event()
        self.go_on = threading.Event()

    def writev(self, fd, buffers):
        """Append, sooner or later."""
        if self.hangs.is_set():
            self.go_on.wait(20)
        return super().writev(fd, buffers)

    def fsync(self, fd):
        """Make durable, in good time."""
        time.sleep(self.fsync_seconds)
        super().fsync(fd)


class Bench:
    """A daemon in this process, and what a test does to it."""

    def __init__(self, daemon: Daemon, log: CapturedLog, files: SlowFiles) -> None:
        self.daemon = daemon
        self.log = log
        self.files = files

    def address(self, name: str) -> tuple[str, int]:
        """Host and port of an input."""
        url = next(e["address"] for e in self.log.all("listening") if e["input"] == name)
        host, port = url.split("//")[1].split(":")
        return host, int(port)

    async def request(self, name: str, text: str, body: bytes = b"") -> tuple[int, str]:
        """Send one request on a connection of its own; give status and body."""
        reader, writer = await asyncio.open_connection(*self.address(name))
        writer.write(
            f"{text} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
            + body
        )
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2].decode()

    async def post(self, msg: str) -> int:
        """POST one record and give the status."""
        body = json.dumps({"msg": msg}).encode()
        return (await self.request("http", "POST /v1/logs", body))[0]

    async def is_stalled(self) -> bool:
        """What the metric says."""
        page = (await self.request("metrics", "GET /metrics"))[1]
        return "\nlogops_sink_stalled 1.0\n" in page


def live(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    test: Callable[[Bench], Awaitable[None]],
    **more: str,
) -> tuple[int, CapturedLog]:
    """Run a daemon around a test; give its exit status and its log."""
    log, files = CapturedLog(), SlowFiles()
    sink = partial(NdjsonSink, files=files, retry_seconds=(0.001, 0.01))
    monkeypatch.setattr("logopsd.assembly.parts.NdjsonSink", sink)

    async def run() -> int:
        daemon = Daemon(settings(tmp_path, **more), log.log)
        running = asyncio.create_task(daemon.run())
        await log.until("ready")
        try:
            async with asyncio.timeout(20):
                await test(Bench(daemon, log, files))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            status = await running
            files.go_on.set()
        return status

    return asyncio.run(run()), log


def test_a_day_ends_at_utc_midnight(tmp_path, monkeypatch):
    """What arrives before it is in the old file and what arrives after in the new, split or not."""

    async def test(bench: Bench) -> None:
        for second in (-0.002, -0.001, 0.0, 0.001):
            bench.daemon._parts.pipeline._clock = lambda second=second: MIDNIGHT + second
            assert await bench.post(f"at {second}") == 200

    status, _ = live(tmp_path, monkeypatch, test, LOGOPS_SINK_SPLIT="level")
    assert status == 0
    for folder, label in (("", ""), ("split", "-info")):
        for day, texts in (
            ("20261123", ["at -0.002", "at -0.001"]),
            ("20261124", ["at 0.0", "at 0.001"]),
        ):
            path = tmp_path / "data" / "ingest" / folder / f"{day}{label}.ndjson"
            records = [json.loads(line) for line in path.read_bytes().splitlines()]
            assert [record["msg"] for record in records] == texts
            assert {record["received"][:10].replace("-", "") for record in records} == {day}


def test_new_retention_ends_the_round_of_the_old(tmp_path, monkeypatch):
    """After SIGHUP no round goes on by settings that no longer hold."""

    async def test(bench: Bench) -> None:
        old = bench.daemon._parts.sweeper
        bench.daemon._reconfigure(settings(tmp_path, LOGOPS_RETENTION_DAYS="1"))
        assert bench.daemon._parts.sweeper is not old
        today = datetime.now(UTC).date()
        assert old.sweep(today=today).stopped
        assert not bench.daemon._parts.sweeper.sweep(today=today).stopped

    status, _ = live(tmp_path, monkeypatch, test, LOGOPS_HOUSEKEEP_AUTORUN="false")
    assert status == 0


def test_one_fsync_serves_all_that_wait(tmp_path, monkeypatch):
    """With `always` many single requests at once cost far fewer fsyncs, and each is durable."""
    counted = {}

    async def test(bench: Bench) -> None:
        bench.files.fsync_seconds = 0.01

        async def client(number: int) -> None:
            for n in range(REQUESTS):
                assert await bench.post(f"{number} {n}") == 200
                (path,) = (tmp_path / "data" / "ingest").glob("*.ndjson")
                assert f'"{number} {n}"'.encode() in bench.files.durable(path)

        before = bench.files.calls["fsync"]
        await asyncio.gather(*map(client, range(CLIENTS)))
        counted["fsyncs"] = bench.files.calls["fsync"] - before

    status, _ = live(tmp_path, monkeypatch, test, LOGOPS_FSYNC="always")
    assert status == 0
    requests = CLIENTS * REQUESTS
    print(f"{requests} requests, each of one record, took {counted['fsyncs']} fsyncs")
    assert len(stored(tmp_path)) == requests
    assert counted["fsyncs"] < requests / 3


def test_a_slow_disk_is_a_stall_and_ends_by_itself(tmp_path, monkeypatch):
    """A write that does not return shows in metric, log, readiness and answers, and then ends."""
    monkeypatch.setattr("logopsd.sinks.thread.SLOW_SECONDS", 0.05)
    monkeypatch.setattr("logopsd.daemon.WATCH_SECONDS", 0.01)

    async def test(bench: Bench) -> None:
        assert await bench.post("before") == 200
        bench.files.hangs.set()
        waiting = asyncio.create_task(bench.post("while it hangs"))
        reason = (await bench.log.until("sink stalled"))["reason"]
        assert reason.startswith("slow: no answer from the disk")
        assert await bench.is_stalled()
        status, ready = await bench.request("metrics", "GET /readyz")
        assert (status, "slow" in ready) == (503, True)
        assert await bench.post("refused") == 503
        assert not waiting.done()
        bench.files.hangs.clear()
        bench.files.go_on.set()
        await bench.log.until("sink writes again")
        assert await waiting == 200
        assert not await bench.is_stalled()
        assert await bench.post("after") == 200

    status, log = live(tmp_path, monkeypatch, test)
    assert status == 0
    assert [r["msg"] for r in stored(tmp_path)] == ["before", "while it hangs", "after"]
    assert len(log.all("sink stalled")) == 1


def test_a_disk_that_hangs_does_not_hold_up_the_end(tmp_path, monkeypatch):
    """It ends in the time allowed with status 1, and says how many records it leaves unwritten."""
    monkeypatch.setattr("logopsd.daemon.CLOSE_SECONDS", 0.1)
    monkeypatch.setattr("logopsd.daemon.DRAIN_SECONDS", 0.1)
    monkeypatch.setattr("logopsd.daemon.SAVE_SECONDS", 0.1)

    async def test(bench: Bench) -> None:
        bench.files.hangs.set()
        # The account is saved beside the files, on the same disk.
        account = bench.daemon._parts.account
        monkeypatch.setattr(account, "save", lambda state: bench.files.go_on.wait(20))
        _, writer = await asyncio.open_connection(*bench.address("tcp"))
        writer.write(b"<13>one\n<13>two\n")
        writer.close()
        await writer.wait_closed()

    status, log = live(tmp_path, monkeypatch, test)
    assert status == 1
    assert [event["records"] for event in log.all("not all could be written")] == [2]


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC, errno.EROFS])
def test_a_disk_that_fails_is_tried_until_it_is_well(tmp_path, monkeypatch, code):
    """Nothing that was taken is missing or doubled, whatever the error was."""

    async def test(bench: Bench) -> None:
        bench.files.broken = code
        waiting = asyncio.create_task(bench.post("one"))
        reason = (await bench.log.until("sink stalled"))["reason"]
        assert reason.startswith(errno.errorcode[code])
        assert await bench.is_stalled()
        assert await bench.post("refused") == 503
        bench.files.broken = 0
        assert await waiting == 200
        await bench.log.until("sink writes again")
        assert await bench.post("two") == 200

    status, _ = live(tmp_path, monkeypatch, test, LOGOPS_FSYNC="always")
    assert status == 0
    assert [record["msg"] for record in stored(tmp_path)] == ["one", "two"]
