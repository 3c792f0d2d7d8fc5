import zipfile
from datetime import date
from pathlib import Path
from typing import BinaryIO

import pytest

from logopsd.retention.archive import archive_file
from logopsd.retention.files import NotArchivedError, RetentionFiles

DAY = date(2026, 10, 1)
NAME = "20261001.ndjson"


def archive(root: Path, data: bytes, files: RetentionFiles | None = None) -> Path:
    """Archive a file of this content into root."""
    (root / NAME).write_bytes(data)
    with (root / NAME).open("rb") as source:
        return archive_file(
            files or RetentionFiles(),
            source,
            name=NAME,
            day=DAY,
            directory=root / "archive",
            progress=lambda size: None,
        )


def test_an_archive_holds_the_file_and_nothing_else(tmp_path: Path) -> None:
    """Content, name and day are in the archive, and no unfinished file is left."""
    data = b"x" * 3_000_000 + b"\n"
    path = archive(tmp_path, data)
    with zipfile.ZipFile(path) as opened:
        assert opened.namelist() == [NAME]
        assert opened.read(NAME) == data
        assert opened.infolist()[0].date_time == (2026, 10, 1, 0, 0, 0)
    assert [p.name for p in path.parent.iterdir()] == [f"{NAME}.zip"]
    assert path.stat().st_mode & 0o777 == 0o640


def test_an_archive_of_the_same_is_found_again(tmp_path: Path) -> None:
    """After a crash between the rename and the removal no second archive is made."""
    first = archive(tmp_path, b"one\n")
    inode = first.stat().st_ino
    assert archive(tmp_path, b"one\n") == first
    assert first.stat().st_ino == inode


def test_another_content_of_the_same_name_gets_a_number(tmp_path: Path) -> None:
    """An existing archive is never overwritten, a damaged or strange one neither."""
    archive(tmp_path, b"one\n")
    (tmp_path / "archive" / f"{NAME}-2.zip").write_bytes(b"no archive at all")
    with zipfile.ZipFile(tmp_path / "archive" / f"{NAME}-3.zip", "w") as other:
        other.writestr("other", "content")
    assert archive(tmp_path, b"two\n").name == f"{NAME}-4.zip"
    assert archive(tmp_path, b"one\n").name == f"{NAME}.zip"


def test_names_run_out(tmp_path: Path) -> None:
    """With absurdly many archives of a name the file stays where it is."""

    class Full(RetentionFiles):
        def exists(self, path: Path) -> bool:
            return True

        def open_source(self, path: Path) -> BinaryIO:
            return (tmp_path / "empty").open("rb")

    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(NotArchivedError, match="archives of this name"):
        archive(tmp_path, b"x\n", Full())


def test_an_archive_that_does_not_read_back_is_no_archive(tmp_path: Path) -> None:
    """A disk that returns other bytes than it was given is noticed before the source goes."""

    class Flips(RetentionFiles):
        def fsync(self, file: BinaryIO) -> None:
            super().fsync(file)
            file.seek(70)
            byte = file.read(1)
            file.seek(70)
            file.write(bytes([byte[0] ^ 0xFF]))

    with pytest.raises(NotArchivedError, match="read back"):
        archive(tmp_path, b"some content\n" * 10, Flips())
    assert list((tmp_path / "archive").iterdir()) == []
