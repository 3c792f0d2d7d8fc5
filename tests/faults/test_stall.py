"""A disk that fails under the running sink: it stalls, says so, and goes on by itself."""

import errno
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from logopsd.sinks.ndjson import NdjsonSink
from logopsd.sinks.writer import Fsync
from tests.faults.helpers import Fault, FaultyFiles
from tests.sinks.helpers import Observer, at_once, line, receipt

DAY = "20261123"


def make_sink(
    directory: Path,
    observer: Observer,
    files: FaultyFiles,
    *,
    fsync: Fsync = "always",
    deliver: Callable[[Callable[[], None]], object] = at_once,
) -> NdjsonSink:
    """An open sink that hardly waits between its attempts."""
    sink = NdjsonSink(
        directory=directory,
        max_file_bytes=0,
        fsync=fsync,
        deliver=deliver,
        observer=observer,
        high_water=2000,
        low_water=1000,
        retry_seconds=(0.001, 0.004),
        files=files,
    )
    sink.open()
    return sink


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "ENOSPC: No space left on device"),
        (errno.EDQUOT, "EDQUOT: Disk quota exceeded"),
        (errno.EIO, "EIO: Input/output error"),
        (errno.EROFS, "EROFS: Read-only file system"),
    ],
)
def test_a_failing_disk_stalls_the_sink_until_it_is_back(
    tmp_path: Path, code: int, reason: str
) -> None:
    """No receipt and no loss meanwhile; the valves close; all goes on once the disk is back."""
    files, observer = FaultyFiles(), Observer()
    calls: list[str] = []
    sink = make_sink(tmp_path, observer, files)
    sink.register(lambda: calls.append("pause"), lambda: calls.append("resume"))
    sink.write(line("before"), DAY, receipt(0))
    observer.until(lambda: len(observer.receipts) == 1)
    files.broken = code
    batches = [line("x" * 90) for _ in range(30)]
    for number, batch in enumerate(batches, 1):
        sink.write(batch, DAY, receipt(number))
    observer.until(lambda: bool(observer.stalls))
    assert observer.stalls == [reason]
    assert sink.stalled == reason
    assert sink.paused
    assert len(observer.receipts) == 1
    assert len(sink.unstored()) == 30
    files.broken = 0
    observer.until(lambda: len(observer.receipts) == 31)
    assert sink.stalled is None
    assert observer.stalls == [reason, None]
    assert sink.close(10)
    assert calls == ["pause", "resume"]
    assert [r.count for r in observer.receipts] == list(range(31))
    assert (tmp_path / f"{DAY}.ndjson").read_bytes() == line("before") + b"".join(batches)


def test_no_receipt_for_what_a_failed_fsync_may_have_lost(tmp_path: Path) -> None:
    """The receipts of a failed fsync come after the bytes were fsynced in the next piece."""
    files, observer = FaultyFiles(), Observer()
    durable: list[bytes] = []
    piece = tmp_path / f"{DAY}-1.ndjson"
    sink = make_sink(tmp_path, observer, files)
    files.faults["fsync"].extend([Fault(errno.EIO)] * 3)
    sink.write(line("one"), DAY, receipt(1, lambda: durable.append(files.durable(piece))))
    observer.until(lambda: len(observer.receipts) == 1)
    assert sink.close(10)
    assert durable == [line("one")]


def test_one_fsync_serves_all_that_waited(tmp_path: Path) -> None:
    """While one round is under way the next gathers, and is one write, one fsync, one delivery."""
    files, observer = FaultyFiles(), Observer()
    gate, entered = threading.Event(), threading.Event()

    def deliver(callback: Callable[[], None]) -> None:
        entered.set()
        assert gate.wait(20)
        callback()

    sink = make_sink(tmp_path, observer, files, deliver=deliver)
    sink.write(line("first"), DAY, receipt(0))
    assert entered.wait(20)
    fsyncs = files.calls["fsync"]
    for number in range(1, 100):
        sink.write(line(str(number)), DAY, receipt(number))
    gate.set()
    assert sink.close(10)
    assert observer.deliveries == 2
    assert files.calls["fsync"] == fsyncs + 1
    assert [r.count for r in observer.receipts] == list(range(100))


def test_the_interval_needs_no_further_write(tmp_path: Path) -> None:
    """Under an interval the receipt comes at once, and the fsync by itself."""
    synced = threading.Event()

    class Files(FaultyFiles):
        def fsync(self, fd: int) -> None:
            super().fsync(fd)
            synced.set()

    observer = Observer()
    sink = make_sink(tmp_path, observer, Files(), fsync=0.01)
    sink.write(line("one"), DAY, receipt(1))
    assert synced.wait(20)
    assert len(observer.receipts) == 1
    assert sink.close(10)


def test_close_gives_up_on_a_disk_that_does_not_come_back(tmp_path: Path) -> None:
    """At the deadline close returns False, and what was not stored can be counted."""
    files, observer = FaultyFiles(), Observer()
    sink = make_sink(tmp_path, observer, files)
    files.broken = errno.ENOSPC
    sink.write(line("one"), DAY, receipt(3))
    observer.until(lambda: bool(observer.stalls))
    sink.write(line("two"), DAY, receipt(4))
    assert not sink.close(0.05)
    assert [r.count for r in sink.unstored()] == [3, 4]
    assert observer.receipts == []
    assert not sink.close(0.05)


def test_close_gives_up_on_a_disk_that_hangs(tmp_path: Path) -> None:
    """A call that does not return is left behind."""
    hang = threading.Event()

    class Files(FaultyFiles):
        def fsync(self, fd: int) -> None:
            assert hang.wait(20)
            super().fsync(fd)

    observer = Observer()
    sink = make_sink(tmp_path, observer, Files())
    sink.write(line("one"), DAY, receipt(1))
    assert not sink.close(0.01)
    assert len(sink.unstored()) == 1
    hang.set()
    assert sink._thread is not None
    sink._thread.join(20)


def test_close_drains_a_stalled_sink_whose_disk_comes_back(tmp_path: Path) -> None:
    """The patience of close is used: a disk that is back in time loses nothing."""
    files, observer = FaultyFiles(), Observer()
    sink = make_sink(tmp_path, observer, files)
    files.faults["writev"].extend([Fault(errno.ENOSPC)] * 20)
    sink.write(line("one"), DAY, receipt(1))
    assert sink.close(20)
    assert len(observer.receipts) == 1


def test_a_file_moved_away_is_opened_anew_on_reopen(tmp_path: Path) -> None:
    """As logrotate does it: move, then SIGHUP; the next line is in a new file."""
    observer = Observer()
    sink = make_sink(tmp_path, observer, FaultyFiles())
    path = tmp_path / f"{DAY}.ndjson"
    sink.write(line("one"), DAY, receipt(1))
    observer.until(lambda: len(observer.receipts) == 1)
    assert sink.open_files() == {path}
    path.rename(tmp_path / "moved")
    sink.reopen()
    sink.write(line("two"), DAY, receipt(2))
    assert sink.close(10)
    assert (tmp_path / "moved").read_bytes() == line("one")
    assert path.read_bytes() == line("two")


def test_an_owner_that_fails_costs_no_one_else_the_receipt(tmp_path: Path) -> None:
    """All receipts of a round are given, then the loop hears of the failure."""
    told: list[int] = []
    errors: list[str] = []

    def fail() -> None:
        raise ValueError("owner")

    def deliver(callback: Callable[[], None]) -> None:
        try:
            callback()
        except ValueError as error:
            errors.append(str(error))

    observer = Observer()
    sink = make_sink(tmp_path, observer, FaultyFiles(), deliver=deliver)
    sink.write(line("one"), DAY, receipt(1, fail))
    sink.write(line("two"), DAY, receipt(2, lambda: told.append(2)))
    assert sink.close(10)
    assert told == [2]
    assert errors == ["owner"]


def test_a_loop_that_is_closed_does_not_stop_the_writing(tmp_path: Path) -> None:
    """Nobody is left for the receipts, but what was handed down is written."""

    def deliver(callback: Callable[[], None]) -> None:
        raise RuntimeError("Event loop is closed")

    sink = make_sink(tmp_path, Observer(), FaultyFiles(), deliver=deliver)
    sink.write(line("one"), DAY, receipt(1))
    sink.write(line("two"), DAY, receipt(2))
    assert sink.close(10)
    assert (tmp_path / f"{DAY}.ndjson").read_bytes() == line("one") + line("two")


def test_an_error_of_our_own_surfaces_in_the_loop(tmp_path: Path) -> None:
    """A defect does not leave a silent half of a daemon: the loop gets it, the sink says so."""

    class Files(FaultyFiles):
        def writev(self, fd: int, buffers: object) -> int:
            raise KeyError("defect")

    caught: list[BaseException] = []
    heard = threading.Event()

    def deliver(callback: Callable[[], None]) -> None:
        try:
            callback()
        except KeyError as error:
            caught.append(error)
            heard.set()

    sink = make_sink(tmp_path, Observer(), Files(), deliver=deliver)
    sink.write(line("one"), DAY, receipt(1))
    assert heard.wait(20)
    assert sink.stalled == "internal error: KeyError"
    assert not sink.close(10)
    assert [r.count for r in sink.unstored()] == [1]


def test_a_call_that_takes_seconds_counts_as_a_stall(tmp_path: Path) -> None:
    """A disk that hangs raises no error; the sink says so while it lasts."""
    hang, entered = threading.Event(), threading.Event()
    now = [0.0]

    class Files(FaultyFiles):
        def fsync(self, fd: int) -> None:
            entered.set()
            assert hang.wait(20)
            super().fsync(fd)

    observer = Observer()
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="always",
        deliver=at_once,
        observer=observer,
        files=Files(),
        clock=lambda: now[0],
    )
    sink.open()
    sink.write(line("one"), DAY, receipt(1))
    assert entered.wait(20)
    assert sink.stalled is None
    now[0] = 7.0
    assert sink.stalled == "slow: no answer from the disk for 7 s"
    hang.set()
    observer.until(lambda: len(observer.receipts) == 1)
    assert sink.close(20)
    assert sink.stalled is None


def test_close_says_so_when_what_has_receipts_cannot_be_made_durable(tmp_path: Path) -> None:
    """Under an interval receipts come before the fsync; an fsync that never succeeds is told."""
    observer = Observer()
    files = FaultyFiles()
    files.faults["fsync"].extend([Fault(errno.EIO)] * 100_000)
    sink = make_sink(tmp_path, observer, files, fsync=0.001)
    sink.write(line("one"), DAY, receipt(1))
    observer.until(lambda: bool(observer.stalls))
    assert len(observer.receipts) == 1
    assert not sink.close(0.05)
    assert sink.unstored() == []
    assert (tmp_path / f"{DAY}.ndjson").read_bytes() == line("one")
