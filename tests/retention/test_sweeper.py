import datetime
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from logopsd.retention.files import RetentionFiles
from logopsd.retention.policy import Entry, Mode
from logopsd.retention.sweeper import Sweeper
from tests.retention.helpers import FailingSteps, Killed

TODAY = datetime.date(2026, 11, 23)


def fill(directory: Path) -> None:
    """Files around the limit of 30 days, and one that is none of ours."""
    for name in ("20261023.ndjson", "20261024.ndjson", "20261122.ndjson", "20261123.ndjson"):
        (directory / name).write_bytes(name.encode() + b"\n")
    (directory / "20261023.ndjson.torn").write_bytes(b"torn\n")
    (directory / "notes.txt").write_bytes(b"mine\n")


def make_sweeper(
    root: Path,
    mode: Mode,
    files: RetentionFiles | None = None,
    *,
    open_files: Callable[[], set[Path]] = set,
    archive_days: int | None = None,
) -> Sweeper:
    """A sweeper of 30 days."""
    return Sweeper(
        directory=root / "ingest",
        archive_dir=root / "archive",
        mode=mode,
        days=30,
        open_files=open_files,
        archive_days=archive_days,
        files=files,
    )


def whereabouts(root: Path) -> dict[str, bytes]:
    """Every content that is whole, in its file or in an archive, by the name of the file."""
    found = {p.name: p.read_bytes() for p in (root / "ingest").glob("*.ndjson*")}
    for path in (root / "archive").glob("*.zip"):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                found[name] = archive.read(name)
    return found


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


@pytest.mark.parametrize("how", ["before", "after", "error"])
@pytest.mark.parametrize("mode", ["zip", "delete"])
def test_a_round_that_died_at_any_step_is_finished_by_the_next(
    root: Path, mode: Mode, how: str
) -> None:
    """Killed or failed at each call in turn: nothing is lost, and a second round completes."""
    contents = whereabouts(root)
    stay = {"20261024.ndjson", "20261122.ndjson", "20261123.ndjson"}
    at = 0
    while True:
        files = FailingSteps(at, how)
        failed = []
        try:
            failed = make_sweeper(root, mode, files).sweep(today=TODAY).failed
        except Killed:
            assert how != "error"
        if files.count <= at:
            break
        left = whereabouts(root)
        assert all(left[name] == contents[name] for name in (contents if mode == "zip" else stay))
        report = make_sweeper(root, mode).sweep(today=TODAY)
        assert report.failed == []
        assert {p.name for p in (root / "ingest").glob("*.ndjson*")} == stay
        if mode == "zip":
            assert whereabouts(root) == contents
            assert sorted(p.name for p in (root / "archive").iterdir()) == [
                "20261023.ndjson.torn.zip",
                "20261023.ndjson.zip",
            ]
        for path, reason in failed:
            assert reason == "Input/output error"
            assert path.is_relative_to(root)
        for path in (root / "archive").glob("*"):
            path.unlink()
        fill(root / "ingest")
        at += 1
    assert at > (20 if mode == "zip" else 8)


def test_a_file_that_cannot_be_handled_does_not_keep_the_others(root: Path) -> None:
    """It is reported with its reason, and the rest of the round is done."""
    (root / "ingest" / "20261001.ndjson").mkdir()
    (root / "ingest" / "20261002.ndjson").symlink_to("/etc/hostname")
    report = make_sweeper(root, "zip").sweep(today=TODAY)
    assert [(path.name, reason) for path, reason in report.failed] == [
        ("20261001.ndjson", "Is a directory"),
        ("20261002.ndjson", "Too many levels of symbolic links"),
    ]
    assert [source.name for source, _ in report.archived] == [
        "20261023.ndjson",
        "20261023.ndjson.torn",
    ]


def test_a_source_that_changed_meanwhile_stays(root: Path) -> None:
    """A file that was written to while it was archived is not removed."""
    source = root / "ingest" / "20261023.ndjson"

    class Appends(RetentionFiles):
        def rename(self, path: Path, to: Path) -> None:
            super().rename(path, to)
            if to.name == "20261023.ndjson.zip":
                with source.open("ab") as file:
                    file.write(b"late\n")

    report = make_sweeper(root, "zip", Appends()).sweep(today=TODAY)
    assert (source, "the file changed while it was archived") in report.failed
    assert source.read_bytes() == b"20261023.ndjson\nlate\n"
    assert make_sweeper(root, "zip").sweep(today=TODAY).archived == [
        (source, root / "archive" / "20261023.ndjson-2.zip")
    ]


def test_a_file_opened_since_the_plan_was_made_stays(root: Path) -> None:
    """The open files are asked again before each file."""
    answers = iter([set(), {root / "ingest" / "20261023.ndjson"}, set()])
    report = make_sweeper(root, "delete", open_files=lambda: next(answers)).sweep(today=TODAY)
    assert [path.name for path in report.deleted] == ["20261023.ndjson.torn"]
    assert report.kept == 4


def test_two_rounds_at_once_do_not_meet(root: Path) -> None:
    """A round by hand beside the daemon's own says so and leaves everything to the other."""
    files = RetentionFiles()
    lock = files.lock(root / "ingest")
    report = make_sweeper(root, "delete").sweep(today=TODAY)
    assert report.failed == [(root / "ingest", "another round is under way")]
    assert report.deleted == []
    files.unlock(lock)


def test_old_archives_expire_by_their_own_days(root: Path) -> None:
    """Archives go in either mode, and only by the days given for them."""
    make_sweeper(root, "zip").sweep(today=TODAY)
    report = make_sweeper(root, "delete", archive_days=31).sweep(today=TODAY)
    assert report.deleted == []
    report = make_sweeper(root, "delete", archive_days=30).sweep(today=TODAY)
    assert [path.name for path in report.deleted] == [
        "20261023.ndjson.torn.zip",
        "20261023.ndjson.zip",
    ]
    assert list((root / "archive").iterdir()) == []


def test_no_folder_is_no_error(tmp_path: Path) -> None:
    """Before anything was stored there is nothing to do."""
    for dry_run in (False, True):
        report = make_sweeper(tmp_path, "zip").sweep(today=TODAY, dry_run=dry_run)
        assert report.failed == []
        assert list(tmp_path.iterdir()) == []


def test_a_clock_years_ahead_is_told_of(root: Path) -> None:
    """What is left alone because of the clock stands in the report."""
    for path in (root / "ingest").iterdir():
        os.utime(path, (1.7e9, 1.7e9))  # in 2023, before the days in their names
    report = make_sweeper(root, "delete").sweep(today=datetime.date(2036, 1, 1))
    assert report.today == TODAY
    assert [path.name for path in report.deleted] == ["20261023.ndjson", "20261023.ndjson.torn"]
    assert [path.name for path in report.held] == [
        "20261024.ndjson",
        "20261122.ndjson",
        "20261123.ndjson",
    ]
    assert report.kept == 3


def test_what_cannot_be_looked_at_is_reported(root: Path) -> None:
    """A folder or a file that gives no answer is named, and the others are looked at."""
    files = FailingSteps(0, "error", only="entry")
    report = make_sweeper(root, "delete", files).sweep(today=TODAY, dry_run=True)
    assert [reason for _, reason in report.failed] == ["Input/output error"]
    files = FailingSteps(1, "error", only="names")
    report = make_sweeper(root, "delete", files).sweep(today=TODAY, dry_run=True)
    assert report.failed == [(root / "archive", "Input/output error")]
    assert len(report.deleted) == 2


def test_a_file_that_went_by_itself_is_no_failure(root: Path) -> None:
    """A file that someone else removed between listing and looking is forgotten."""
    (root / "ingest" / "20261001.ndjson").symlink_to("nowhere")

    class Gone(RetentionFiles):
        def entry(self, path: Path, day: datetime.date) -> Entry:
            if path.is_symlink():
                path.unlink()
            return super().entry(path, day)

    report = make_sweeper(root, "delete", Gone()).sweep(today=TODAY)
    assert report.failed == []
    assert len(report.deleted) == 2


@pytest.mark.parametrize("mode", ["zip", "delete"])
def test_a_round_can_be_stopped_midway(root: Path, mode: Mode) -> None:
    """A daemon that ends does not wait for gigabytes; the next round does the rest."""
    big = root / "ingest" / "20261001.ndjson"
    big.write_bytes(b"x" * 3_000_000)
    contents = whereabouts(root)
    sweeper = make_sweeper(root, mode)
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        calls.append(done)
        sweeper.stop()

    report = sweeper.sweep(today=TODAY, progress=progress)
    assert report.stopped
    assert len(calls) == 1
    assert report.failed == []
    if mode == "zip":
        assert big.exists()
        assert list((root / "archive").iterdir()) == []
        assert whereabouts(root) == contents
    assert sweeper.sweep(today=TODAY).stopped
    assert make_sweeper(root, mode).sweep(today=TODAY).failed == []
    assert not big.exists()
