"""Lines of files, archives and standard input."""

import io
import zipfile
from pathlib import Path

import pytest

from logopsd.commands import stored
from logopsd.commands.stored import lines_of, opened, size_of
from logopsd.errors import LogopsError


def read(name: Path | str, stdin: bytes = b"") -> list[bytes]:
    """The lines of a name."""
    with opened(str(name), io.BytesIO(stdin)) as lines:
        return list(lines)


def test_all_three_give_the_same_lines(tmp_path: Path) -> None:
    """And, where it can be known, how many bytes they are."""
    data = b"one\ntwo\nthree"
    (tmp_path / "a.ndjson").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"one\ntwo\n")
        archive.writestr("b", b"three")
    expected = [b"one\n", b"two\n", b"three"]

    assert read(tmp_path / "a.ndjson") == read(tmp_path / "a.zip") == read("-", data) == expected
    sizes = [size_of(str(each)) for each in (tmp_path / "a.ndjson", tmp_path / "a.zip", "-")]
    assert sizes == [len(data), len(data), 0]


def test_an_archive_that_cannot_be_read_is_told_of(tmp_path: Path) -> None:
    """Damaged at its end, damaged in the middle, or locked."""
    path = tmp_path / "a.zip"
    path.write_bytes(b"PK")
    assert size_of(str(path)) == 0
    with pytest.raises(LogopsError, match=r"a\.zip is no zip archive"):
        read(path)

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(range(256)) * 100)
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(data)
    with pytest.raises(LogopsError, match="damaged"):
        read(path)

    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", b"x")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(mark) + offset] |= 1  # the flag of an encrypted member
    path.write_bytes(data)
    with pytest.raises(LogopsError, match="is encrypted"):
        read(path)


def test_a_line_that_is_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays bounded, and the lines around it are given."""
    monkeypatch.setattr(stored, "MAX_LINE_BYTES", 8)
    data = b"one\n" + b"x" * 20 + b"\n1234567\ntwo\n" + b"y" * 30

    assert list(lines_of(io.BytesIO(data))) == [b"one\n", b"1234567\n", b"two\n"]
