import errno
from pathlib import Path

import pytest

from logopsd.sinks.files import DirectoryLock
from logopsd.sinks.writer import IDLE_SECONDS, KEPT_MAX, Fsync, Writer
from tests.faults.helpers import Fault, FaultyFiles
from tests.sinks.helpers import line

DAY = "20261123"


class Bench:
    """A writer, its disk, and a clock that stands until it is set."""

    def __init__(self, directory: Path, *, fsync: Fsync = 5.0, min_free_bytes: int = 0) -> None:
        self.now = 100.0
        self.files = FaultyFiles()
        self.free = 10**9
        self.files.free_bytes = lambda directory: self.free  # type: ignore[method-assign]
        self.directory = directory
        self.path = directory / f"{DAY}.ndjson"
        self.lock = DirectoryLock(directory)
        self.lock.acquire()
        self.writer = Writer(
            directory=directory,
            lock=self.lock,
            files=self.files,
            max_file_bytes=0,
            fsync=fsync,
            min_free_bytes=min_free_bytes,
            torn=lambda path, length: None,
            clock=lambda: self.now,
        )

    def write(self, text: str, day: str = DAY) -> None:
        """Add and write one line."""
        self.writer.add(day, line(text))
        self.writer.write()

    def durable(self) -> bytes:
        """What of the day's file would survive a power cut."""
        return self.files.durable(self.path)

    def end(self) -> None:
        """Close everything."""
        self.writer.close()
        self.lock.release()


def test_an_interval_runs_from_the_first_write_that_is_not_durable(tmp_path: Path) -> None:
    """The fsync comes the interval after the first write, not after the last one."""
    bench = Bench(tmp_path, fsync=5.0)
    bench.write("one")
    bench.now += 3
    bench.write("two")
    assert bench.writer.seconds_until_due() == 2.0
    bench.writer.tend()
    assert bench.files.calls["fsync"] == 0
    bench.now += 2
    bench.writer.tend()
    assert bench.durable() == line("one") + line("two")
    bench.end()


def test_what_was_written_before_a_stall_is_made_durable_in_time(tmp_path: Path) -> None:
    """A full disk does not put off the fsync of what it took before."""
    bench = Bench(tmp_path, fsync=5.0)
    bench.write("one")
    bench.now += 5
    bench.files.faults["writev"].append(Fault(errno.ENOSPC))
    with pytest.raises(OSError, match="space"):
        bench.write("two")
    assert bench.durable() == line("one")
    bench.writer.write()
    bench.end()
    assert bench.path.read_bytes() == line("one") + line("two")


def test_fsync_comes_early_when_much_is_held_in_memory(tmp_path: Path) -> None:
    """What is held to be written again is bounded: beyond it the interval is over."""
    bench = Bench(tmp_path, fsync=3600.0)
    bench.writer.add(DAY, b"x" * KEPT_MAX + b"\n")
    bench.writer.write()
    assert bench.writer.seconds_until_due() == 0.0
    bench.writer.tend()
    assert bench.files.calls["fsync"] == 1
    assert bench.writer.seconds_until_due() == IDLE_SECONDS
    bench.end()


def test_never_means_at_the_end_only(tmp_path: Path) -> None:
    """Without fsync nothing is due but closing what is idle, and that makes it durable."""
    bench = Bench(tmp_path, fsync="never")
    bench.write("one")
    assert bench.writer.seconds_until_due() == IDLE_SECONDS
    assert bench.files.calls["fsync"] == 0
    bench.end()
    assert bench.durable() == line("one")


def test_an_idle_file_is_closed_and_opened_again(tmp_path: Path) -> None:
    """Yesterday's file is let go a minute after its last line; a late line opens it again."""
    bench = Bench(tmp_path)
    bench.write("late", day="20261122")
    bench.now += IDLE_SECONDS - 1
    bench.write("one")
    assert len(bench.writer.open_paths) == 2
    bench.now += 1
    bench.writer.tend()
    assert bench.writer.open_paths == {bench.path}
    bench.write("later", day="20261122")
    bench.end()
    assert bench.writer.open_paths == frozenset()
    assert (tmp_path / "20261122.ndjson").read_bytes() == line("late") + line("later")


def test_the_sink_stalls_before_the_disk_is_full(tmp_path: Path) -> None:
    """What would leave less than the free bytes asked for waits, and is written afterwards."""
    bench = Bench(tmp_path, min_free_bytes=1000)
    bench.free = 1000 + len(line("one"))
    bench.write("one")
    bench.free = 1000
    bench.now += 1
    with pytest.raises(OSError, match="LOGOPS_MIN_FREE_BYTES") as caught:
        bench.write("two")
    assert caught.value.errno == errno.ENOSPC
    assert bench.path.read_bytes() == line("one")
    bench.free = 2000
    bench.writer.write()
    bench.end()
    assert bench.path.read_bytes() == line("one") + line("two")


def test_free_space_is_asked_once_a_second_unless_it_runs_short(tmp_path: Path) -> None:
    """A statvfs for each round would be waste; but what was free may not be spent unseen."""
    asked = []
    bench = Bench(tmp_path, min_free_bytes=1000)
    bench.files.free_bytes = lambda directory: asked.append(1) or 1100  # type: ignore[method-assign,func-returns-value]
    for _ in range(3):
        bench.write("x")
    assert len(asked) == 1
    with pytest.raises(OSError, match="left free"):
        bench.write("y" * 200)
    assert len(asked) == 2
    bench.files.free_bytes = lambda directory: 10**6  # type: ignore[method-assign]
    bench.end()


def test_a_directory_put_in_the_place_of_the_old_one_is_locked(tmp_path: Path) -> None:
    """The lock follows the path: it is taken in the new directory before anything is written."""
    directory = tmp_path / "ingest"
    directory.mkdir()
    bench = Bench(directory)
    bench.write("one")
    directory.rename(tmp_path / "old")
    directory.mkdir()
    other = DirectoryLock(directory)
    other.acquire()
    bench.now += 1
    with pytest.raises(BlockingIOError):
        bench.write("two")
    other.release()
    bench.writer.write()
    with pytest.raises(BlockingIOError):
        other.acquire()
    bench.end()
    assert (tmp_path / "old" / bench.path.name).read_bytes() == line("one")
    assert bench.path.read_bytes() == line("two")
