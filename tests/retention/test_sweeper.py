import datetime
import zipfile
from pathlib import Path

import pytest

from logopsd.retention.policy import Mode
from logopsd.retention.sweeper import Sweeper

TODAY = datetime.date(2026, 11, 23)


def fill(directory: Path) -> None:
    """Files around the limit of 30 days, and one that is none of ours."""
    for name in ("20261023.ndjson", "20261024.ndjson", "20261122.ndjson", "20261123.ndjson"):
        (directory / name).write_bytes(name.encode() + b"\n")
    (directory / "20261023.ndjson.torn").write_bytes(b"torn\n")
    (directory / "notes.txt").write_bytes(b"mine\n")


def make_sweeper(root: Path, mode: Mode) -> Sweeper:
    """A sweeper of 30 days."""
    return Sweeper(
        directory=root / "ingest",
        archive_dir=root / "archive",
        mode=mode,
        days=30,
        open_files=set,
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with the filled folder `ingest`."""
    (tmp_path / "ingest").mkdir()
    fill(tmp_path / "ingest")
    return tmp_path


def test_delete_removes_what_is_older_than_the_days(root: Path) -> None:
    """A file of 31 days before today goes, one of 30 days stays, and so do strangers."""
    report = make_sweeper(root, "delete").sweep(today=TODAY)
    assert [path.name for path in report.deleted] == ["20261023.ndjson", "20261023.ndjson.torn"]
    assert report.freed == 16 + 5
    assert report.failed == []
    left = sorted(path.name for path in (root / "ingest").iterdir())
    assert left == [".sweep", "20261024.ndjson", "20261122.ndjson", "20261123.ndjson", "notes.txt"]


def test_zip_archives_and_then_removes(root: Path) -> None:
    """An archive outside of the tailed glob holds the file, and the file is gone."""
    seen: list[tuple[int, int]] = []
    report = make_sweeper(root, "zip").sweep(
        today=TODAY, progress=lambda done, total: seen.append((done, total))
    )
    source, archive = report.archived[0]
    assert (source.name, archive.name) == ("20261023.ndjson", "20261023.ndjson.zip")
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("20261023.ndjson") == b"20261023.ndjson\n"
    assert not source.exists()
    assert sorted(path.name for path in (root / "archive").iterdir()) == [
        "20261023.ndjson.torn.zip",
        "20261023.ndjson.zip",
    ]
    assert seen[-1] == (21, 21)


def test_dry_run_touches_nothing(root: Path) -> None:
    """A dry run says what would be done, and leaves every file and name alone."""
    before = sorted((root / "ingest").iterdir())
    report = make_sweeper(root, "zip").sweep(today=TODAY, dry_run=True)
    assert [archive.name for _, archive in report.archived] == [
        "20261023.ndjson.zip",
        "20261023.ndjson.torn.zip",
    ]
    assert sorted((root / "ingest").iterdir()) == before
    assert not (root / "archive").exists()
