import datetime
import errno
import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from logopsd.errors import SinkError
from logopsd.sinks.files import DirectoryLock, HeldLock
from logopsd.sinks.ndjson import NdjsonSink, Split
from logopsd.sinks.writer import Fsync
from tests.faults.helpers import Fault, FaultyFiles
from tests.sinks.helpers import Observer, at_once, line, receipt

DAY = "20261123"


def make_sink(
    directory: Path,
    observer: Observer,
    *,
    fsync: Fsync = "never",
    max_file_bytes: int = 0,
    defer: Callable[[Callable[[], None]], object] | None = None,
    suffix: str = "",
    lock: DirectoryLock | None = None,
    split: Split | None = None,
) -> NdjsonSink:
    """A sink that delivers in its own thread."""
    return NdjsonSink(
        directory=directory,
        max_file_bytes=max_file_bytes,
        fsync=fsync,
        deliver=at_once,
        observer=observer,
        defer=defer,
        suffix=suffix,
        lock=lock,
        split=split,
    )


@pytest.mark.parametrize("fsync", ["always", "never", 0.001])
def test_batches_land_in_order_and_receipts_come_back(tmp_path: Path, fsync: Fsync) -> None:
    """What is written stands in the day's file, in order, and each receipt comes once."""
    observer = Observer()
    sink = make_sink(tmp_path / "ingest", observer, fsync=fsync)
    sink.open()
    told: list[int] = []
    for number in range(100):
        sink.write(line(str(number)), DAY, receipt(number, lambda n=number: told.append(n)))
    assert sink.close(10)
    lines = (tmp_path / "ingest" / "20261123.ndjson").read_bytes().splitlines()
    assert [json.loads(text)["msg"] for text in lines] == [str(n) for n in range(100)]
    assert [r.count for r in observer.receipts] == told == list(range(100))
    assert sink.unstored() == []
    assert sink.unstored_bytes == 0


def test_a_turn_of_the_loop_is_one_round_of_the_thread(tmp_path: Path) -> None:
    """What is written in one turn is handed over at the next, all at once."""
    turn: list[Callable[[], None]] = []
    observer = Observer()
    sink = make_sink(tmp_path, observer, defer=turn.append)
    sink.open()
    for expected in (3, 6):
        for number in range(3):
            sink.write(line(str(number)), DAY, receipt(number))
        assert len(turn) == 1
        assert len(sink.unstored()) == 3
        assert len(observer.receipts) == expected - 3
        turn.pop()()
        observer.until(lambda expected=expected: len(observer.receipts) == expected)
        assert observer.deliveries == expected / 3
    assert sink.close(10)


def test_close_stores_what_was_not_handed_over(tmp_path: Path) -> None:
    """At the end no further turn of the loop is waited for, and a late one does nothing."""
    turn: list[Callable[[], None]] = []
    sink = make_sink(tmp_path, Observer(), defer=turn.append)
    sink.open()
    sink.write(line("last"), DAY, receipt(1))
    assert sink.close(10)
    turn.pop()()
    assert (tmp_path / "20261123.ndjson").read_bytes() == line("last")
    assert sink.unstored() == []


def test_each_day_has_its_file(tmp_path: Path) -> None:
    """The day given with a batch names its file, also where two days are pending at once."""
    sink = make_sink(tmp_path, Observer())
    sink.open()
    sink.write(line("old"), "20261122", receipt(1))
    sink.write(line("new"), "20261123", receipt(1))
    sink.write(line("late"), "20261122", receipt(1))
    assert sink.close(10)
    assert (tmp_path / "20261122.ndjson").read_bytes() == line("old") + line("late")
    assert (tmp_path / "20261123.ndjson").read_bytes() == line("new")


def test_a_restart_appends_to_the_newest_piece(tmp_path: Path) -> None:
    """Pieces are split at batches, and a later start goes on with the newest."""
    for start in range(0, 6, 3):
        sink = make_sink(tmp_path, Observer(), max_file_bytes=2 * len(line("0")))
        sink.open()
        for number in range(start, start + 3):
            sink.write(line(str(number)), DAY, receipt(1))
        assert sink.close(10)
    pieces = ["20261123.ndjson", "20261123-1.ndjson", "20261123-2.ndjson"]
    found = [(tmp_path / name).read_bytes() for name in pieces]
    assert found == [line(str(n)) + line(str(n + 1)) for n in (0, 2, 4)]


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """The directory is locked for as long as the sink is open, and the error names the owner."""
    first = make_sink(tmp_path, Observer())
    first.open()
    with pytest.raises(SinkError, match=rf"in use by another logopsd \(process {os.getpid()}\)"):
        make_sink(tmp_path, Observer()).open()
    assert first.close(10)
    second = make_sink(tmp_path, Observer())
    second.open()
    assert second.close(10)


def test_modes_of_directory_and_files(tmp_path: Path) -> None:
    """The group may read, others may not, whatever the umask takes away."""
    before = os.umask(0o077)
    try:
        sink = make_sink(tmp_path / "ingest", Observer())
        sink.open()
        sink.write(line("x"), DAY, receipt(1))
        assert sink.close(10)
    finally:
        os.umask(before)
    path = tmp_path / "ingest" / "20261123.ndjson"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_torn_tail_is_set_aside_at_start(tmp_path: Path) -> None:
    """The fragment goes to .torn, a whole record takes its place, and nothing got shorter."""
    path = tmp_path / "20261123.ndjson"
    path.write_bytes(line("whole") + b'{"msg":"to')
    inode = path.stat().st_ino
    observer = Observer()
    sink = make_sink(tmp_path, observer)
    sink.open()
    sink.write(line("next"), DAY, receipt(1))
    assert sink.close(10)
    assert observer.torn_files == [(path, 10)]
    assert (tmp_path / "20261123.ndjson.torn").read_bytes() == b'{"msg":"to\n'
    first, notice, last = path.read_bytes().splitlines(keepends=True)
    assert (first, last) == (line("whole"), line("next"))
    assert json.loads(notice)["msg"] == "a torn line of 10 bytes was set aside"
    assert path.stat().st_ino == inode


def test_valves_close_above_the_high_and_open_below_the_low_water_mark(tmp_path: Path) -> None:
    """Pause is called in write itself, resume with the receipts, once each."""
    observer = Observer()
    gate = threading.Event()
    calls: list[str] = []
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="never",
        deliver=lambda callback: (gate.wait(20), callback()),
        observer=observer,
        high_water=100,
        low_water=50,
    )
    sink.register(lambda: calls.append("pause"), lambda: calls.append("resume"))
    sink.open()
    for _ in range(3):
        sink.write(b"x" * 99 + b"\n", DAY, receipt(1))
    # The thread may have taken the first batch, and waits at the gate with it.
    assert sink.paused
    assert calls == ["pause"]
    sink.register(lambda: calls.append("late pause"), lambda: None)
    gate.set()
    assert sink.close(10)
    assert calls == ["pause", "late pause", "resume"]
    assert not sink.paused


def test_a_directory_that_cannot_be_used_is_refused_with_the_mend(tmp_path: Path) -> None:
    """A file in the place of the directory is named, with what to do."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SinkError, match="a directory that the daemon's user may write"):
        make_sink(tmp_path / "file", Observer()).open()


def test_a_directory_without_the_right_to_write_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon does not start to stall at the first record."""
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SinkError, match=r"Permission denied; make .* a directory"):
        make_sink(tmp_path, Observer()).open()


def test_a_file_of_today_of_another_owner_is_refused(tmp_path: Path) -> None:
    """What could never be appended to is told at start, and the lock is let go."""
    today = datetime.datetime.now(datetime.UTC)
    for day in (today, today + datetime.timedelta(1)):  # should midnight pass meanwhile
        (tmp_path / f"{day:%Y%m%d}.ndjson").write_bytes(line("root's"))
    files = FaultyFiles()
    files.faults["open_append"].extend([Fault(errno.EACCES), Fault(errno.EIO)])
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="never",
        deliver=at_once,
        observer=Observer(),
        files=files,
    )
    with pytest.raises(SinkError, match=r"ndjson: Permission denied; let the daemon's user read"):
        sink.open()
    sink.open()
    assert sink.close(10)


def test_an_old_file_of_another_owner_is_left_alone(tmp_path: Path) -> None:
    """Whole or torn, what is never appended to is no reason not to start."""
    (tmp_path / "20200101.ndjson").write_bytes(b"torn")
    files, observer = FaultyFiles(), Observer()
    files.faults["open_update"].append(Fault(errno.EACCES))
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="never",
        deliver=at_once,
        observer=observer,
        files=files,
    )
    sink.open()
    assert sink.close(10)
    assert (tmp_path / "20200101.ndjson").read_bytes() == b"torn"
    assert observer.torn_files == []


def test_a_full_disk_does_not_keep_the_daemon_from_starting(tmp_path: Path) -> None:
    """A torn tail that cannot be set aside now is mended before the file is appended to."""
    path = tmp_path / "20261123.ndjson"
    path.write_bytes(b"torn")
    (tmp_path / "notes.txt").write_bytes(b"not ours, and without LF")
    files, observer = FaultyFiles(), Observer()
    files.faults["writev"].append(Fault(errno.ENOSPC))
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="never",
        deliver=at_once,
        observer=observer,
        files=files,
    )
    sink.open()
    assert observer.torn_files == []
    sink.write(line("next"), DAY, receipt(1))
    assert sink.close(10)
    assert observer.torn_files == [(path, 4)]
    notice, last = path.read_bytes().splitlines(keepends=True)
    assert json.loads(notice)["msgid"] == "torn"
    assert last == line("next")


def test_an_empty_batch_is_a_receipt_that_follows_all_before_it(tmp_path: Path) -> None:
    """A batch without bytes makes no file, and its receipt keeps its place."""
    observer = Observer()
    sink = make_sink(tmp_path, observer)
    sink.open()
    sink.write(b"", DAY, receipt(1))
    assert sink.close(10)
    assert [r.count for r in observer.receipts] == [1]
    assert list(tmp_path.glob("*.ndjson")) == []


def test_closing_what_was_never_opened_is_no_harm(tmp_path: Path) -> None:
    """A start that failed may be cleaned up like any other."""
    assert make_sink(tmp_path, Observer()).close(1)


def test_a_file_for_each_level(tmp_path: Path) -> None:
    """Each level's lines land in its own file; one receipt serves the batch."""
    observer = Observer()
    sink = NdjsonSink(
        directory=tmp_path,
        max_file_bytes=0,
        fsync="always",
        deliver=at_once,
        observer=observer,
        split="level",
    )
    sink.open()
    error, info = (b'{"ts":"t","level":"%s","msg":"m"}\n' % level for level in (b"ERROR", b"INFO"))
    sink.write(error + info + error, DAY, receipt(3))
    assert sink.close(10)
    assert (tmp_path / "20261123-error.ndjson").read_bytes() == error * 2
    assert (tmp_path / "20261123-info.ndjson").read_bytes() == info
    assert [r.count for r in observer.receipts] == [3]


@pytest.mark.parametrize(("split", "label"), [(None, ""), ("input", "-tcp"), ("level", "-info")])
def test_several_write_to_one_directory_under_one_lock(
    tmp_path: Path, split: Split | None, label: str
) -> None:
    """Each has files of its own, with pieces of their own; a stranger is refused meanwhile."""
    first = make_sink(tmp_path, Observer())
    first.open()
    workers = [
        make_sink(
            tmp_path,
            Observer(),
            suffix=f"-w{number}",
            lock=HeldLock(tmp_path, os.dup(first.lock_fd)),
            max_file_bytes=4096,
            split=split,
        )
        for number in (1, 2)
    ]
    for number, sink in enumerate(workers, start=1):
        sink.open()
        for _ in range(2):
            sink.write(line(f"{number}" * 3000), DAY, receipt(1))
    assert first.close(10)
    with pytest.raises(SinkError, match="in use by another logopsd"):
        make_sink(tmp_path, Observer()).open()
    assert all(sink.close(10) for sink in workers)

    names = sorted(path.name for path in tmp_path.glob("*.ndjson"))
    stems = [f"{DAY}{label}-w{number}" for number in (1, 2)]
    assert names == sorted(f"{stem}{end}.ndjson" for stem in stems for end in ("", "-1"))


def test_one_of_several_mends_its_own_files_alone(tmp_path: Path) -> None:
    """The torn line of another is a line that is being written."""
    for name in ("20261123", "20261123-w1", "20261123-w2"):
        (tmp_path / f"{name}.ndjson").write_bytes(b'{"msg": "half')
    sink = make_sink(tmp_path, Observer(), suffix="-w1", lock=HeldLock(tmp_path, -1))
    sink.open()
    assert sink.close(10)
    assert [path.name for path in tmp_path.glob("*.torn")] == ["20261123-w1.ndjson.torn"]
