"""Rounds of retention over the folders of the sink, by hand and in the daemon."""

import asyncio
import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd.chores.aside import aside
from logopsd.config import Settings
from logopsd.keys.files import DayKeyFiles, DayKeySweeper
from logopsd.retention.sweeper import Progress, Sweeper, SweepReport

SPLIT = "split"
"""Folder of the split files, in that of the sink: outside of the tailed glob, so that nobody
ships each record twice."""

RECENT_SECONDS = 120.0
"""A file written to within so long may be open in a daemon, which closes one after a minute."""


class Rounds:
    """Sweeps one folder after the other, as if they were one.

    Args:
        sweepers: of the folders.
        keys: lets the keys of days go behind their files; None where it is not asked to.
    """

    def __init__(self, sweepers: Sequence[Sweeper], keys: DayKeySweeper | None = None) -> None:
        self._sweepers = sweepers
        self._keys = keys

    def stop(self) -> None:
        """End a round that is under way within a moment, and every later one; from any thread."""
        for sweeper in self._sweepers:
            sweeper.stop()

    def sweep(
        self,
        *,
        today: datetime.date,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> SweepReport:
        """Do one round; for the arguments see `Sweeper.sweep`. Blocks: run it in a thread."""
        whole = SweepReport(dry_run=dry_run)
        for sweeper in self._sweepers:
            report = sweeper.sweep(today=today, dry_run=dry_run, progress=progress)
            whole.deleted += report.deleted
            whole.archived += report.archived
            whole.failed += report.failed
            whole.held += report.held
            whole.waiting += report.waiting
            whole.unshipped += report.unshipped
            whole.freed += report.freed
            whole.kept += report.kept
            whole.stopped |= report.stopped
        if self._keys is not None:
            self._keys.sweep(whole, today=today)
        return whole


def rounds(settings: Settings, open_files: Callable[[], set[Path]] | None = None) -> Rounds:
    """Make what sweeps the folders of the settings.

    Args:
        settings: valid ones.
        open_files: those that are open now; where not given, what another process may have open.
    """

    def sweeper(
        directory: Path,
        archive_dir: Path,
        unshipped: Callable[[], Mapping[str, int]] = dict,
    ) -> Sweeper:
        return Sweeper(
            directory=directory,
            archive_dir=archive_dir,
            mode=settings.archive_mode,
            days=settings.retention_days,
            open_files=open_files or partial(recently_written, directory, time.time),
            archive_days=settings.archive_retention_days or None,
            max_bytes=settings.retention_max_bytes,
            unshipped=unshipped,
        )

    def unsent() -> Mapping[str, int]:
        # When a round asks, in its thread: a start need not wait for what knows about shipping.
        from logopsd.shipping.unshipped import unshipped

        return unshipped(settings.sink_dir, expected=settings.ship_to is not None)

    folders = [settings.sink_dir, settings.archive_dir]
    zips = settings.archive_mode == "zip"
    keys = DayKeySweeper(
        DayKeyFiles(settings.key_dir),
        days=(settings.archive_retention_days or None) if zips else settings.retention_days,
        folders=[*folders, *(folder / SPLIT for folder in folders)],
    )
    # The split files also where they are no longer written: what there is grows old all the same.
    return Rounds(
        [
            sweeper(settings.sink_dir, settings.archive_dir, unsent),
            sweeper(settings.sink_dir / SPLIT, settings.archive_dir / SPLIT),
        ],
        keys,
    )


def recently_written(directory: Path, clock: Callable[[], float]) -> set[Path]:
    """The files of a folder that a running daemon may have open, told from names and time stamps.

    Today's is never removed; yesterday's stays open for a minute after midnight.
    """
    now = clock()
    yesterday = datetime.datetime.fromtimestamp(now, datetime.UTC) - datetime.timedelta(days=1)
    recent = set()
    for path in directory.glob(f"{yesterday:%Y%m%d}*.ndjson"):
        try:
            if path.stat().st_mtime >= now - RECENT_SECONDS:
                recent.add(path)
        except OSError:  # gone meanwhile
            continue
    return recent


class Housekeeping:
    """The task in the daemon: a round at start, and one every interval.

    Args:
        log: told of each round.
        interval: seconds between two rounds; 0 means at start only.
        succeeded: told when a round ended well, in seconds since the epoch.
        unshipped: told of bytes that were removed before they were shipped.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        log: FilteringBoundLogger,
        *,
        interval: float,
        succeeded: Callable[[float], None],
        unshipped: Callable[[int], None] = lambda size: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._log = log
        self._interval = interval
        self._succeeded = succeeded
        self._unshipped = unshipped
        self._clock = clock

    async def run(self, current: Callable[[], Rounds]) -> None:
        """Go on for good, or end after one round.

        Args:
            current: gives what sweeps by the settings of the moment. A round of older ones that
                was stopped is begun anew by these.
        """
        while True:
            now = current()
            today = datetime.datetime.fromtimestamp(self._clock(), datetime.UTC).date()
            report = await aside(partial(now.sweep, today=today))
            self._tell(report)
            if report.stopped:
                if now is current():  # the daemon is about to end
                    return
                continue
            if not report.failed:
                self._succeeded(self._clock())
            if not self._interval:
                return
            await asyncio.sleep(self._interval)

    def _tell(self, report: SweepReport) -> None:
        named: dict[str, list[str]] = {
            "deleted": [path.name for path in report.deleted],
            "archived": [source.name for source, _ in report.archived],
            "failed": [f"{path.name}: {reason}" for path, reason in report.failed],
        }
        log = self._log.warning if report.failed else self._log.info
        done = {what: files for what, files in named.items() if files}
        log("housekeep", **done, **({"stopped": True} if report.stopped else {}))
        self._tell_unshipped(report)
        if report.held:
            self._log.warning(
                "files held",
                files=[path.name for path in report.held],
                hint="the clock seems to have leapt years ahead; they go when 7 days of files "
                "stand behind the leap, or by hand",
            )

    def _tell_unshipped(self, report: SweepReport) -> None:
        if report.unshipped:
            lost = sum(size for _, size in report.unshipped)
            self._unshipped(lost)
            self._log.error(
                "removed unshipped",
                files=[path.name for path, _ in report.unshipped],
                bytes=lost,
                hint="LOGOPS_RETENTION_MAX_BYTES leaves no room for what the target does not take",
            )
        if report.waiting:
            self._log.warning(
                "files wait to be shipped",
                files=[path.name for path in report.waiting],
                hint="they go once they are; without LOGOPS_RETENTION_MAX_BYTES the disk may fill",
            )
