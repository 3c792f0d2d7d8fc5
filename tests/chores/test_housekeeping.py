import asyncio
import datetime
import os
from collections.abc import Callable
from pathlib import Path

import structlog.testing

from logopsd.chores.housekeeping import Housekeeping, Rounds, recently_written, rounds
from logopsd.config import Settings, load
from logopsd.retention.sweeper import Progress, Sweeper, SweepReport
from tests.shipping.helpers import Stream, ship

TODAY = datetime.date(2026, 11, 23)
NOON = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.UTC).timestamp()


def settings(tmp_path: Path, **given: str) -> Settings:
    """Settings with these given."""
    return load(
        {f"LOGOPS_{name.upper()}": text for name, text in given.items()}, directory=tmp_path
    )


def make(folder: Path, *names: str, size: int = 3) -> None:
    """Files of one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"x" * (size - 1) + b"\n")


def names(folder: Path) -> set[str]:
    """What a folder holds, but for the locks."""
    return {path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."}


def test_the_split_files_have_a_round_of_their_own(tmp_path: Path) -> None:
    """Old ones go from both folders, each into an archive folder of its own, in one report."""
    ingest = tmp_path / "data" / "ingest"
    make(ingest, "20260101.ndjson", "20261123.ndjson")
    make(ingest / "split", "20260101-error.ndjson", "20261123-error.ndjson")
    report = rounds(settings(tmp_path, archive_mode="zip"), set).sweep(today=TODAY)

    assert names(ingest) == {"20261123.ndjson"}
    assert names(ingest / "split") == {"20261123-error.ndjson"}
    archive = tmp_path / "data" / "archive"
    assert names(archive) == {"20260101.ndjson.zip"}
    assert names(archive / "split") == {"20260101-error.ndjson.zip"}
    assert len(report.archived) == 2
    assert report.kept == 2


def test_the_settings_of_retention_are_used(tmp_path: Path) -> None:
    """Days, size, and the days of archives reach the policy."""
    ingest, archive = tmp_path / "data" / "ingest", tmp_path / "data" / "archive"
    make(ingest, *(f"202611{day}.ndjson" for day in range(19, 24)), size=600_000)
    make(archive, "20261101.ndjson.zip", "20261118.ndjson.zip")
    given = settings(
        tmp_path,
        retention_days="3",
        retention_max_bytes="1300000",
        archive_mode="zip",
        archive_retention_days="10",
    )
    report = rounds(given, set).sweep(today=TODAY)

    assert names(ingest) == {"20261122.ndjson", "20261123.ndjson"}
    stay = ("20261119.ndjson", "20261120.ndjson", "20261121.ndjson", "20261118.ndjson")
    assert names(archive) == {f"{name}.zip" for name in stay}
    assert [path.name for path in report.deleted] == ["20261101.ndjson.zip"]


def test_what_a_daemon_may_have_open_stays(tmp_path: Path) -> None:
    """By hand, yesterday's file is left alone within two minutes of its last write."""
    make(tmp_path, "20261122.ndjson", "20261122-1.ndjson", "20261121.ndjson")
    for name, age in (("20261122.ndjson", 300), ("20261122-1.ndjson", 30), ("20261121.ndjson", 0)):
        os.utime(tmp_path / name, (NOON - age, NOON - age))

    assert recently_written(tmp_path, lambda: NOON) == {tmp_path / "20261122-1.ndjson"}


class FakeRounds(Rounds):
    """Reports what it is given, one after the other."""

    def __init__(self, *reports: SweepReport, then: Callable[[], None] = lambda: None) -> None:
        super().__init__([])
        self.reports = list(reports)
        self.then = then
        self.days: list[datetime.date] = []

    def sweep(
        self, *, today: datetime.date, dry_run: bool = False, progress: Progress | None = None
    ) -> SweepReport:
        """Give the next report."""
        self.days.append(today)
        report = self.reports.pop(0)
        if not self.reports:
            self.then()
        return report


def keep(
    *given: FakeRounds, interval: float = 0.0
) -> tuple[list[float], structlog.testing.CapturingLogger]:
    """Run the task until it ends by itself or by a cancellation; `given` are current in turn."""
    log = structlog.testing.CapturingLogger()
    succeeded: list[float] = []
    waiting = list(given)

    def current() -> Rounds:
        if len(waiting) > 1 and not waiting[0].reports:
            waiting.pop(0)
        return waiting[0]

    task = Housekeeping(log, interval=interval, succeeded=succeeded.append, clock=lambda: NOON)
    asyncio.run(task.run(current))
    return succeeded, log


def test_a_good_round_is_noted_and_a_failed_one_is_a_warning() -> None:
    """Without an interval one round is all; its time is that of the clock."""
    fake = FakeRounds(SweepReport(deleted=[Path("a")]))
    succeeded, log = keep(fake)
    assert succeeded == [NOON]
    assert fake.days == [TODAY]
    assert [(c.method_name, c.kwargs) for c in log.calls] == [("info", {"deleted": ["a"]})]

    succeeded, log = keep(FakeRounds(SweepReport(failed=[(Path("b"), "no")])))
    assert succeeded == []
    assert [(c.method_name, c.kwargs) for c in log.calls] == [("warning", {"failed": ["b: no"]})]


def test_files_held_are_a_warning() -> None:
    """A clock that leapt is told of with the files it would have cost, and the round is good."""
    succeeded, log = keep(FakeRounds(SweepReport(held=[Path("20200101.ndjson")])))

    assert succeeded == [NOON]
    (warning,) = [call for call in log.calls if call.method_name == "warning"]
    assert warning.kwargs["files"] == ["20200101.ndjson"]


def test_a_round_stopped_by_new_settings_is_begun_anew() -> None:
    """The next one sweeps by the new settings, at once."""
    old, new = FakeRounds(SweepReport(stopped=True)), FakeRounds(SweepReport())
    succeeded, log = keep(old, new)

    assert succeeded == [NOON]
    assert [call.kwargs for call in log.calls] == [{"stopped": True}, {}]


def test_a_round_stopped_at_the_end_is_the_last() -> None:
    """Where nothing took its place the daemon ends: no further round is begun."""
    fake = FakeRounds(SweepReport(stopped=True))
    succeeded, _ = keep(fake, interval=3600)

    assert succeeded == []
    assert len(fake.days) == 1


def test_stop_reaches_each_folder(tmp_path: Path) -> None:
    """After it a round does nothing, and says so."""
    make(tmp_path, "20200101.ndjson", "20261123.ndjson")
    both = [
        Sweeper(
            directory=tmp_path / folder,
            archive_dir=tmp_path / "archive",
            mode="delete",
            days=1,
            open_files=set,
        )
        for folder in ("", "split")
    ]
    swept = Rounds(both)
    swept.stop()

    assert swept.sweep(today=TODAY).stopped
    assert names(tmp_path) == {"20200101.ndjson", "20261123.ndjson"}


def test_what_is_not_shipped_waits_and_is_told(tmp_path: Path) -> None:
    """By the positions beside the files; what was sent goes, and nobody waits for a torn end."""
    ingest = tmp_path / "data" / "ingest"
    make(ingest, "20260101.ndjson", "20260102.ndjson", "20260103.ndjson")
    (ingest / "20260101.ndjson").write_bytes(b"xx\nto")
    ship(ingest, Stream())
    assert rounds(settings(tmp_path), set).sweep(today=TODAY, dry_run=True).waiting == []
    with (ingest / "20260102.ndjson").open("ab") as file:
        file.write(b"yy\n")
    (ingest / ".ship-nats.json").write_text(
        (ingest / ".ship-nats.json").read_text().replace('"follows": false', '"follows": true')
    )

    report = rounds(settings(tmp_path), set).sweep(today=TODAY)

    assert [path.name for path in report.waiting] == ["20260102.ndjson"]
    assert names(ingest) == {"20260102.ndjson"}


def test_shipping_that_never_began_keeps_all(tmp_path: Path) -> None:
    """Where the settings ask for it; where nobody does, nothing waits."""
    ingest = tmp_path / "data" / "ingest"
    make(ingest, "20260101.ndjson")
    asked = settings(tmp_path, ship_to="nats://localhost")

    assert len(rounds(asked, set).sweep(today=TODAY, dry_run=True).waiting) == 1
    assert len(rounds(settings(tmp_path), set).sweep(today=TODAY, dry_run=True).deleted) == 1


def test_what_must_go_unshipped_is_counted_and_shouted_about(tmp_path: Path) -> None:
    """Once a round, with the bytes that nobody has elsewhere; a dry run says the same."""
    ingest = tmp_path / "data" / "ingest"
    make(ingest, "20260101.ndjson", "20260102.ndjson", size=700_000)
    given = settings(tmp_path, ship_to="nats://localhost", retention_max_bytes="1MiB")
    dry = rounds(given, set).sweep(today=TODAY, dry_run=True)
    lost: list[int] = []
    with structlog.testing.capture_logs() as logs:
        keeping = Housekeeping(
            structlog.get_logger(),
            interval=0,
            succeeded=lambda when: None,
            unshipped=lost.append,
            clock=lambda: NOON,
        )
        asyncio.run(keeping.run(lambda: rounds(given, set)))

    assert dry.unshipped == [(ingest / "20260101.ndjson", 700_000)]
    assert lost == [700_000]
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("housekeep", "info"),
        ("removed unshipped", "error"),
        ("files wait to be shipped", "warning"),
    ]
