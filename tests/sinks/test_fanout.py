import errno
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logopsd.errors import SinkError
from logopsd.records import Receipt
from logopsd.sinks.contract import SinkObserver
from logopsd.sinks.fanout import FanOutSink
from logopsd.sinks.ndjson import NdjsonSink, Split
from tests.faults.helpers import FaultyFiles
from tests.sinks.helpers import Observer, at_once, line, receipt

DAY = "20261123"


class Manual:
    """A sink that gives receipts when the test says so."""

    def __init__(self, observer: SinkObserver) -> None:
        self.observer = observer
        self.taken: list[Receipt] = []
        self.stalled: str | None = None
        self.paused = False
        self.unstored_bytes = 0
        self.closed = 0
        self.reopened = 0

    def open(self) -> None:
        """Nothing to do."""

    def write(self, data: bytes, day: str, part: Receipt) -> None:
        """Keep the receipt."""
        self.taken.append(part)
        self.unstored_bytes += len(data)

    def register(self, pause: object, resume: object) -> None:
        """Keep the valves."""
        self.pause, self.resume = pause, resume

    def give(self, count: int) -> None:
        """Give the next receipts."""
        done, self.taken = self.taken[:count], self.taken[count:]
        self.observer.stored(done)

    def unstored(self) -> list[Receipt]:
        """What was not given."""
        return self.taken

    def open_files(self) -> set[Path]:
        """One file of its own."""
        return {Path(str(id(self)))}

    def reopen(self) -> None:
        """Count it."""
        self.reopened += 1

    def close(self, timeout: float) -> bool:
        """Count it."""
        self.closed += 1
        return not self.taken


def make(count: int, observer: Observer) -> tuple[FanOutSink, list[Manual]]:
    """A fan-out of so many manual sinks."""
    sinks: list[Manual] = []

    def maker(observer: SinkObserver) -> Manual:
        sinks.append(Manual(observer))
        return sinks[-1]

    return FanOutSink([maker] * count, observer), sinks


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), max_size=40))
def test_a_receipt_waits_for_all_and_comes_once_in_order(steps: list[tuple[int, int]]) -> None:
    """Whatever the pace of each sink, the slowest one decides."""
    observer = Observer()
    fanout, sinks = make(3, observer)
    told: list[int] = []
    written = 0
    given = [0, 0, 0]
    for index, count in steps:
        if index == 3:
            fanout.write(b"x\n", DAY, receipt(written, lambda n=written: told.append(n)))
            written += 1
        else:
            given[index] = min(written, given[index] + count)
            sinks[index].give(count)
        assert [r.count for r in observer.receipts] == told == list(range(min(given)))
        assert [r.count for r in fanout.unstored()] == list(range(min(given), written))


def test_valves_close_with_the_first_and_open_with_the_last() -> None:
    """Two sinks may be too full at the same time; all must have room again."""
    fanout, (one, two) = make(2, Observer())
    calls: list[str] = []
    fanout.register(lambda: calls.append("pause"), lambda: calls.append("resume"))
    one.pause()
    two.pause()
    one.resume()
    assert fanout.paused
    fanout.register(lambda: calls.append("late"), lambda: None)
    two.resume()
    assert calls == ["pause", "late", "resume"]
    assert not fanout.paused


def test_the_whole_is_stalled_while_one_is() -> None:
    """When one sink is well again, the reason of the other one is told."""
    observer = Observer()
    fanout, (one, two) = make(2, observer)
    for sink, reason in ((one, "a"), (two, "b"), (one, None), (two, None)):
        sink.stalled = reason
        sink.observer.stalled(reason)
    assert observer.stalls == ["a", "a", "b", None]
    assert fanout.stalled is None


def test_the_rest_is_handed_on() -> None:
    """Figures, files, reopening and closing reach every sink."""
    observer = Observer()
    fanout, (one, two) = make(2, observer)
    fanout.write(b"four", DAY, receipt(1))
    one.give(1)
    one.observer.wrote(4, 0.1)
    one.observer.torn(Path("x"), 3)
    fanout.reopen()
    assert fanout.unstored_bytes == 4
    assert (one.reopened, two.reopened) == (1, 1)
    assert fanout.open_files() == one.open_files() | two.open_files()
    assert (observer.written, observer.torn_files) == (4, [(Path("x"), 3)])
    assert not fanout.close(1)
    assert (one.closed, two.closed) == (1, 1)
    two.give(1)
    assert fanout.close(1)


def test_an_owner_that_fails_costs_no_one_else_the_receipt() -> None:
    """All receipts are given, then the loop hears of the failure."""
    fanout, (one,) = make(1, Observer())
    told: list[int] = []

    def fail() -> None:
        raise ValueError("owner")

    fanout.write(b"x\n", DAY, receipt(1, fail))
    fanout.write(b"x\n", DAY, receipt(2, lambda: told.append(2)))
    with pytest.raises(ValueError, match="owner"):
        one.give(2)
    assert told == [2]


def ndjson(
    directory: Path, files: FaultyFiles, observer: SinkObserver, split: Split | None = None
) -> NdjsonSink:
    """A real sink of files."""
    return NdjsonSink(
        directory=directory,
        max_file_bytes=0,
        fsync="always",
        deliver=at_once,
        observer=observer,
        split=split,
        retry_seconds=(0.001, 0.01),
        files=files,
    )


def test_one_disk_that_stalls_harms_no_other(tmp_path: Path) -> None:
    """The daily file is written while the split one stalls, and the receipt waits for both."""
    observer, disk, sick = Observer(), FaultyFiles(), FaultyFiles()
    fanout = FanOutSink(
        [
            lambda observer: ndjson(tmp_path / "day", disk, observer),
            lambda observer: ndjson(tmp_path / "split", sick, observer, "input"),
        ],
        observer,
    )
    fanout.open()
    sick.broken = errno.ENOSPC
    fanout.write(line("one"), DAY, receipt(1))
    observer.until(lambda: bool(observer.stalls) and observer.written > 0)
    assert (tmp_path / "day" / f"{DAY}.ndjson").read_bytes() == line("one")
    assert observer.receipts == []
    assert fanout.stalled == "ENOSPC: No space left on device"
    sick.broken = 0
    observer.until(lambda: len(observer.receipts) == 1)
    assert fanout.close(20)
    assert (tmp_path / "split" / f"{DAY}-tcp.ndjson").read_bytes() == line("one")


def test_a_sink_that_cannot_be_opened_closes_the_others(tmp_path: Path) -> None:
    """A start that is refused leaves no thread and no lock behind."""
    (tmp_path / "file").write_bytes(b"")
    files = FaultyFiles()
    fanout = FanOutSink(
        [
            lambda observer: ndjson(tmp_path / "day", files, observer),
            lambda observer: ndjson(tmp_path / "file", files, observer),
        ],
        Observer(),
    )
    with pytest.raises(SinkError, match=r"file: File exists; make .* a directory"):
        fanout.open()
    again = ndjson(tmp_path / "day", files, Observer())
    again.open()
    assert again.close(20)
