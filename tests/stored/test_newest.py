"""The end of the files, however much is before it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logopsd.sinks.rotation import Piece
from logopsd.stored import newest as module
from logopsd.stored.newest import newest


@pytest.fixture(autouse=True)
def _small_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_BYTES", 12)


def append(directory: Path, name: str, data: bytes) -> None:
    """Write to the end of a file."""
    with (directory / f"{name}.ndjson").open("ab") as file:
        file.write(data)


def test_the_first_look_shows_the_end_of_the_newest_day(tmp_path: Path) -> None:
    """What was left out of it was there before, and is nobody's loss."""
    append(tmp_path, "20261122", b"old\n")
    append(tmp_path, "20261123", b"one\n" * 10)
    append(tmp_path, "20261123-1", b"two\nhalf")
    found = newest(tmp_path)
    assert found.lines == [b"one", b"one", b"one", b"two"]
    assert found.skipped_bytes == 0
    assert newest(tmp_path, found.marks).lines == []
    append(tmp_path, "20261122", b"late\n")
    append(tmp_path, "20261123-1", b"\n")
    assert newest(tmp_path, found.marks).lines == [b"late", b"half"]


def test_later_looks_show_what_came(tmp_path: Path) -> None:
    """Over midnight and pieces; what is too much is passed over and told."""
    assert newest(tmp_path / "missing").lines == []
    marks = newest(tmp_path).marks
    append(tmp_path, "20261123", b"one\n")
    found = newest(tmp_path, marks)
    assert found.lines == [b"one"]
    append(tmp_path, "20261123", b"two\n" * 5)
    append(tmp_path, "20261123-1", b"3\n")
    append(tmp_path, "20261124", b"4\n")
    found = newest(tmp_path, found.marks)
    assert (found.lines, found.skipped_bytes) == ([b"two"] * 3 + [b"3", b"4"], 8)


def test_a_line_longer_than_a_read_is_not_shown(tmp_path: Path) -> None:
    """Nor a part of it; the next one is."""
    append(tmp_path, "20261123", b"a\n")
    marks = newest(tmp_path).marks
    append(tmp_path, "20261123", b"x" * 50)
    found = newest(tmp_path, marks)
    assert (found.lines, found.skipped_bytes) == ([], 50)
    append(tmp_path, "20261123", b"xx\nb\n")
    assert newest(tmp_path, found.marks).lines[-1] == b"b"


def test_a_file_that_was_cut_is_begun_anew(tmp_path: Path) -> None:
    """As logrotate does it; one that is gone is no error."""
    append(tmp_path, "20261123", b"one\ntwo\n")
    marks = newest(tmp_path).marks
    (tmp_path / "20261123.ndjson").write_bytes(b"3\n")
    assert newest(tmp_path, marks).lines == [b"3"]
    (tmp_path / "20261123.ndjson").unlink()
    assert newest(tmp_path, marks) == module.Newest()


def test_a_file_gone_in_between_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Retention may take it behind the listing of names."""
    monkeypatch.setattr(module, "pieces", lambda _: [Piece("20261122", 0), Piece("20261123", 0)])
    assert newest(tmp_path) == module.Newest()


def test_an_old_file_that_comes_into_sight_is_no_news(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when one of the newest was removed by hand."""
    monkeypatch.setattr(module, "MAX_PIECES", 2)
    for name in ("20261121", "20261122", "20261123"):
        append(tmp_path, name, b"a\n")
    marks = newest(tmp_path).marks
    (tmp_path / "20261122.ndjson").unlink()
    assert newest(tmp_path, marks).lines == []


@settings(deadline=None)
@given(st.lists(st.lists(st.binary(min_size=1, max_size=9).filter(lambda b: b"\n" not in b))))
def test_whatever_is_shown_was_stored_whole(
    tmp_path_factory: pytest.TempPathFactory, writes: list[list[bytes]]
) -> None:
    """No line twice, none in part, the newest always, and each byte shown or passed over."""
    directory = tmp_path_factory.mktemp("newest")
    append(directory, "20261123", b"")
    marks = newest(directory).marks
    for lines in writes:
        data = b"".join(line + b"\n" for line in lines)
        append(directory, "20261123", data)
        found = newest(directory, marks)
        marks = found.marks
        assert found.lines == lines[len(lines) - len(found.lines) :]
        assert found.skipped_bytes + sum(len(each) + 1 for each in found.lines) == len(data)
        assert bool(found.lines) == bool(lines)
