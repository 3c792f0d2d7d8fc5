import errno
from pathlib import Path

import pytest

from logopsd.sinks.appender import Appender
from tests.faults.helpers import Fault, FaultyFiles
from tests.sinks.helpers import line

DAY = "20261123"


def make_appender(
    directory: Path, files: FaultyFiles, *, max_file_bytes: int = 0, keep: bool = True
) -> Appender:
    """An appender of one day that has no torn lines to tell of."""
    return Appender(
        directory=directory,
        stem=DAY,
        files=files,
        max_file_bytes=max_file_bytes,
        keep=keep,
        torn=lambda path, length: pytest.fail("nothing is torn"),
    )


def drain(appender: Appender) -> int:
    """Drain as the sink does, again and again; the number of errors on the way."""
    for errors in range(20):
        try:
            appender.drain()
            appender.sync()
        except OSError:
            continue
        return errors
    raise AssertionError("never done")


def contents(directory: Path) -> dict[str, bytes]:
    """The files of the sink by name."""
    return {path.name: path.read_bytes() for path in sorted(directory.glob("*.ndjson"))}


def test_a_batch_goes_on_at_the_byte_where_the_disk_was_full(tmp_path: Path) -> None:
    """ENOSPC in the midst of a batch tears and doubles nothing, however long it lasts."""
    files = FaultyFiles()
    files.faults["writev"].extend([Fault(0, 7), *[Fault(errno.ENOSPC)] * 5, Fault(0, 20)])
    appender = make_appender(tmp_path, files)
    batches = [line("one") + line("two"), line("three")]
    appender.queue.extend(batches)
    assert drain(appender) == 5
    assert contents(tmp_path) == {"20261123.ndjson": b"".join(batches)}
    appender.close()


def test_a_failed_fsync_leads_to_a_new_piece_with_all_since_the_last_good_one(
    tmp_path: Path,
) -> None:
    """What a failed fsync may have lost is written again and fsynced before sync returns."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files)
    appender.queue.append(line("safe"))
    assert drain(appender) == 0
    files.faults["fsync"].append(Fault(errno.EIO))
    appender.queue.extend([line("one"), line("two")])
    assert drain(appender) == 1
    assert contents(tmp_path) == {
        "20261123.ndjson": line("safe") + line("one") + line("two"),
        "20261123-1.ndjson": line("one") + line("two"),
    }
    assert files.durable(tmp_path / "20261123-1.ndjson") == line("one") + line("two")
    assert not (tmp_path / ".probe").exists()
    assert appender.kept_bytes == 0
    appender.close()


def test_a_disk_whose_fsyncs_keep_failing_is_not_filled_with_pieces(tmp_path: Path) -> None:
    """Before a new piece is begun a probe must succeed, so a sick disk gets no data at all."""
    files = FaultyFiles()
    files.faults["fsync"].extend([Fault(errno.EIO)] * 10)
    appender = make_appender(tmp_path, files)
    appender.queue.append(line("one"))
    assert drain(appender) == 10
    assert list(contents(tmp_path)) == ["20261123-1.ndjson", "20261123.ndjson"]
    appender.close()


def test_a_file_that_refuses_on_a_well_disk_is_given_up(tmp_path: Path) -> None:
    """EFBIG again and again while the probe succeeds: the rest goes to the next piece, whole."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files)
    files.faults["writev"].extend([Fault(0, 20), *[Fault(errno.EFBIG)] * 2])
    appender.queue.append(line("one") + line("two") + line("three"))
    drain(appender)
    # The line that was begun is completed where it began.
    assert contents(tmp_path) == {
        "20261123.ndjson": line("one") + line("two"),
        "20261123-1.ndjson": line("one") + line("two") + line("three"),
    }
    appender.close()


def test_a_sick_disk_alone_is_no_reason_to_give_a_file_up(tmp_path: Path) -> None:
    """EROFS of file and probe alike: when it is over, the batch goes on in its file, once."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files)
    appender.queue.append(line("one"))
    drain(appender)
    files.broken = errno.EROFS
    appender.queue.append(line("two"))
    for _ in range(5):
        with pytest.raises(OSError, match="Read-only"):
            appender.drain()
    files.broken = 0
    assert drain(appender) == 0
    assert contents(tmp_path) == {"20261123.ndjson": line("one") + line("two")}
    appender.close()


def test_a_file_moved_in_the_midst_of_a_batch_gets_the_whole_batch(tmp_path: Path) -> None:
    """What was begun is completed in the file that was moved, and all else goes to a new one."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files)
    files.faults["writev"].extend([Fault(0, 5), Fault(errno.ENOSPC)])
    appender.queue.extend([line("one"), line("two")])
    with pytest.raises(OSError, match="space"):
        appender.drain()
    (tmp_path / "20261123.ndjson").rename(tmp_path / "moved")
    appender.check_due = True
    assert drain(appender) == 0
    assert (tmp_path / "moved").read_bytes() == line("one")
    assert contents(tmp_path) == {"20261123.ndjson": line("two")}
    appender.close()


def test_a_removed_file_is_made_anew_with_what_was_not_fsynced(tmp_path: Path) -> None:
    """What is at hand of a removed file is written again; nothing is appended to a ghost."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files)
    appender.queue.append(line("fsynced"))
    drain(appender)
    appender.queue.append(line("at hand"))
    appender.drain()
    (tmp_path / "20261123.ndjson").unlink()
    appender.check_due = True
    appender.queue.append(line("next"))
    assert drain(appender) == 0
    assert contents(tmp_path) == {"20261123.ndjson": line("at hand") + line("next")}
    appender.close()


def test_a_directory_that_vanished_stalls_until_it_is_back(tmp_path: Path) -> None:
    """Nothing is written beside; when the directory is back, its file goes on, once."""
    files = FaultyFiles()
    directory = tmp_path / "ingest"
    directory.mkdir()
    appender = make_appender(directory, files)
    appender.queue.append(line("one"))
    drain(appender)
    directory.rename(tmp_path / "away")
    appender.queue.append(line("two"))
    appender.check_due = True
    for _ in range(4):
        with pytest.raises(FileNotFoundError):
            appender.drain()
    (tmp_path / "away").rename(directory)
    assert drain(appender) == 0
    assert contents(directory) == {"20261123.ndjson": line("one") + line("two")}
    appender.close()


def test_pieces_end_at_batches_and_only_a_single_batch_is_larger(tmp_path: Path) -> None:
    """A piece does not grow beyond its limit, unless by the only batch it holds."""
    appender = make_appender(tmp_path, FaultyFiles(), max_file_bytes=10)
    appender.queue.extend([b"1234\n", b"567\n", b"89\n", b"a much too long one\n", b"b\n"])
    assert drain(appender) == 0
    assert contents(tmp_path) == {
        "20261123.ndjson": b"1234\n567\n",
        "20261123-1.ndjson": b"89\n",
        "20261123-2.ndjson": b"a much too long one\n",
        "20261123-3.ndjson": b"b\n",
    }
    appender.close()


def test_without_keeping_a_failed_fsync_is_told_and_no_more(tmp_path: Path) -> None:
    """Under `never` no memory is spent; a failed fsync at the end is an error, once."""
    files = FaultyFiles()
    appender = make_appender(tmp_path, files, keep=False)
    appender.queue.append(line("one"))
    appender.drain()
    assert appender.kept_bytes == 0
    files.faults["fsync"].append(Fault(errno.EIO))
    with pytest.raises(OSError, match="Input/output"):
        appender.close()
    appender.close()
    assert contents(tmp_path) == {"20261123.ndjson": line("one")}


def test_a_write_that_takes_nothing_is_an_error(tmp_path: Path) -> None:
    """A call that neither writes nor fails must not spin the thread."""

    class Nothing(FaultyFiles):
        def writev(self, fd: int, buffers: object) -> int:
            return 0

    appender = make_appender(tmp_path, Nothing())
    appender.queue.append(line("one"))
    with pytest.raises(OSError, match="took nothing"):
        appender.drain()
    appender.abandon()
