"""A real small disk that really is full. Needs the right to mount."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from logopsd.sinks.ndjson import NdjsonSink
from tests.sinks.helpers import Observer, at_once, line, receipt

DAY = "20261123"
DISK_BYTES = 1024 * 1024


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of one MiB."""
    path = tmp_path / "disk"
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "logopsd-test", str(path)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        problem = "there is no mount command"
    if problem:
        if os.environ.get("LOGOPS_E2E") == "require":
            pytest.fail(f"a tmpfs cannot be mounted: {problem}")
        pytest.skip(f"a tmpfs cannot be mounted: {problem}")
    yield path
    subprocess.run(["umount", "--lazy", str(path)], check=True)


def make_sink(directory: Path, observer: Observer, *, min_free_bytes: int = 0) -> NdjsonSink:
    """An open sink that fsyncs before receipts and hardly waits between its attempts."""
    sink = NdjsonSink(
        directory=directory,
        max_file_bytes=0,
        fsync="always",
        deliver=at_once,
        observer=observer,
        min_free_bytes=min_free_bytes,
        retry_seconds=(0.001, 0.01),
    )
    sink.open()
    return sink


def test_a_full_disk_stalls_and_nothing_is_torn_or_doubled(disk: Path) -> None:
    """Batches stop at the byte where the disk was full, and go on there when there is room."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (DISK_BYTES // 2))
    observer = Observer()
    sink = make_sink(disk / "ingest", observer)
    batches = [
        b"".join(line(f"{n} {'x' * 90}") for n in range(b, b + 80)) for b in range(0, 8000, 80)
    ]
    sink.write(batches[0], DAY, receipt(0))
    observer.until(lambda: len(observer.receipts) == 1)
    for number, batch in enumerate(batches[1:], 1):
        sink.write(batch, DAY, receipt(number))
    observer.until(lambda: bool(observer.stalls))
    assert observer.stalls == ["ENOSPC: No space left on device"]
    assert sink.unstored()
    ballast.unlink()
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
    observer.until(lambda: len(observer.receipts) == len(batches))
    assert sink.close(20)
    assert (disk / "ingest" / f"{DAY}.ndjson").read_bytes() == b"".join(batches)
    assert [path.name for path in (disk / "ingest").glob("*.ndjson")] == [f"{DAY}.ndjson"]


def test_free_bytes_are_kept_free(disk: Path) -> None:
    """With a minimum of free bytes the sink stalls while others can still write."""
    observer = Observer()
    sink = make_sink(disk / "ingest", observer, min_free_bytes=DISK_BYTES // 2)
    for number in range(8):
        sink.write(b"x" * 99_999 + b"\n", DAY, receipt(number))
    observer.until(lambda: bool(observer.stalls))
    assert "would be left free" in (sink.stalled or "")
    there = os.statvfs(disk)
    assert there.f_bavail * there.f_frsize >= DISK_BYTES // 2
    subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
    assert sink.close(20)
    assert len(observer.receipts) == 8


def test_a_vanished_directory_comes_back(disk: Path) -> None:
    """While the directory is gone the sink stalls and makes none in its place."""
    observer = Observer()
    sink = make_sink(disk / "ingest", observer)
    sink.write(line("one"), "20261122", receipt(1))
    observer.until(lambda: len(observer.receipts) == 1)
    (disk / "ingest" / "20261122.ndjson").unlink()
    (disk / "ingest").rename(disk / "away")
    sink.reopen()
    sink.write(line("two"), DAY, receipt(2))
    observer.until(lambda: bool(observer.stalls))
    assert observer.stalls[0] is not None
    assert observer.stalls[0].startswith("ENOENT")
    assert not (disk / "ingest").exists()
    (disk / "away").rename(disk / "ingest")
    assert sink.close(20)
    assert (disk / "ingest" / f"{DAY}.ndjson").read_bytes() == line("two")
