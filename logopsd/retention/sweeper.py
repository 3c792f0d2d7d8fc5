"""One round of retention: what the policy names is deleted, or archived and then removed.

Whatever fails, a file is whole in its place or in a verified archive; a round that died midway is
finished by the next. A file that cannot be handled is reported, and the rest goes on.
"""

import datetime
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from logopsd.retention.files import PART_SUFFIX, NotArchivedError, RetentionFiles
from logopsd.retention.policy import Entry, Mode, Plan, day_of_archive, day_of_file, decide

Progress = Callable[[int, int], None]


class SweepReport(msgspec.Struct):
    """What one round did, or would do.

    Attributes:
        deleted: files and archives that were deleted.
        archived: files of the sink that are in an archive now, each with the archive.
        failed: what could not be handled, each with the reason.
        held: files left alone as the clock seems to have leapt years ahead (see policy).
        waiting: files left alone, though old, as they are not shipped yet.
        unshipped: files that went though they were not shipped, each with the bytes that were not.
        freed: bytes by which both folders together got smaller.
        kept: files and archives left as they are by the policy.
        today: the day from which ages were counted.
        dry_run: nothing was done; `deleted` and `archived` say what would be.
        stopped: the round was ended early by `stop`; the next one does the rest.
    """

    deleted: list[Path] = msgspec.field(default_factory=list)
    archived: list[tuple[Path, Path]] = msgspec.field(default_factory=list)
    failed: list[tuple[Path, str]] = msgspec.field(default_factory=list)
    held: list[Path] = msgspec.field(default_factory=list)
    waiting: list[Path] = msgspec.field(default_factory=list)
    unshipped: list[tuple[Path, int]] = msgspec.field(default_factory=list)
    freed: int = 0
    kept: int = 0
    today: datetime.date = datetime.date.min
    dry_run: bool = False
    stopped: bool = False


class _StoppedError(Exception):
    """The round is to end now; what is begun is undone on the way up."""


class Sweeper:
    """Keeps the folder of the sink, and that of the archives, within the policy.

    Args:
        directory: of the sink.
        archive_dir: of the archives.
        mode: `delete`, or `zip` into the folder of archives.
        days: files whose day is more than so many days before today go.
        open_files: the files that are open at present; asked before each one is touched.
        archive_days: the same as `days` for archives; None keeps them for good.
        max_bytes: of the sink's folder, beyond which the oldest go; 0 is no limit.
        unshipped: the files that are still to be sent on, each with how many bytes of it.
        files: the steps.
    """

    def __init__(
        self,
        *,
        directory: Path,
        archive_dir: Path,
        mode: Mode,
        days: int,
        open_files: Callable[[], set[Path]],
        archive_days: int | None = None,
        max_bytes: int = 0,
        unshipped: Callable[[], Mapping[str, int]] = dict,
        files: RetentionFiles | None = None,
    ) -> None:
        self._directory = directory
        self._archive_dir = archive_dir
        self._mode = mode
        self._days = days
        self._open_files = open_files
        self._archive_days = archive_days
        self._max_bytes = max_bytes
        self._unshipped = unshipped
        self._unsent: Mapping[str, int] = {}
        self._files = files or RetentionFiles()
        if mode == "zip":
            # It brings zipfile, for which who deletes does not wait at start. Not as late as when a
            # file is archived: an upgrade may have put another version there meanwhile.
            from logopsd.retention.archive import archive_file

            self._archive_file = archive_file
        self._stop = threading.Event()

    def stop(self) -> None:
        """End a round that is under way within a moment, and every later one; from any thread.

        An archive that is not finished is removed again, and its source stays.
        """
        self._stop.set()

    def sweep(
        self, *, today: datetime.date, dry_run: bool = False, progress: Progress | None = None
    ) -> SweepReport:
        """Do one round; blocks for as long as it takes, so run it in a thread.

        Args:
            today: the UTC day.
            dry_run: only say what would be done.
            progress: called with the bytes done and the bytes there are to do.
        """
        report = SweepReport(dry_run=dry_run)
        if dry_run:
            self._note_plan(self._plan(today, report), report)
            return report
        try:
            lock = self._files.lock(self._directory)
        except FileNotFoundError:  # nothing was ever stored
            return report
        except OSError as error:
            busy = isinstance(error, BlockingIOError)
            reason = "another round is under way" if busy else _reason(error)
            report.failed.append((self._directory, reason))
            return report
        try:
            self._remove_parts()
            self._carry_out(self._plan(today, report), report, progress or (lambda done, all: None))
        except _StoppedError:
            report.stopped = True
        finally:
            self._files.unlock(lock)
        return report

    def _plan(self, today: datetime.date, report: SweepReport) -> Plan:
        self._unsent = self._unshipped()
        plan = decide(
            self._entries(self._directory, day_of_file, report),
            self._entries(self._archive_dir, day_of_archive, report),
            today=today,
            days=self._days,
            archive_days=self._archive_days,
            max_bytes=self._max_bytes,
            open_names={path.name for path in self._open_files()},
            unshipped=self._unsent,
        )
        report.waiting = [self._directory / entry.name for entry in plan.waiting]
        report.kept, report.today = plan.kept, plan.today
        held = {entry.name for entry in plan.held}
        report.held = [
            self._directory / name if day_of_file(name) else self._archive_dir / name
            for name in sorted(held)
        ]
        return plan

    def _entries(
        self,
        directory: Path,
        day_of: Callable[[str], datetime.date | None],
        report: SweepReport,
    ) -> list[Entry]:
        entries = []
        try:
            names = self._files.names(directory)
        except OSError as error:
            report.failed.append((directory, _reason(error)))
            return []
        for name in names:
            if day := day_of(name):
                try:
                    entries.append(self._files.entry(directory / name, day))
                except FileNotFoundError:  # removed by someone else meanwhile
                    continue
                except OSError as error:
                    report.failed.append((directory / name, _reason(error)))
        return entries

    def _note_plan(self, plan: Plan, report: SweepReport) -> None:
        for entry in plan.remove:
            path = self._directory / entry.name
            self._note_unshipped(entry, report)
            if self._mode == "zip":
                report.archived.append((path, self._archive_dir / f"{entry.name}.zip"))
            else:
                report.deleted.append(path)
        report.deleted.extend(self._archive_dir / entry.name for entry in plan.expire)

    def _carry_out(self, plan: Plan, report: SweepReport, progress: Progress) -> None:
        if self._stop.is_set():
            raise _StoppedError
        total = sum(entry.size for entry in (*plan.remove, *plan.expire))
        done = 0

        def add(size: int) -> None:
            nonlocal done
            done += size
            progress(min(done, total), total)
            if self._stop.is_set():
                raise _StoppedError

        for entry in plan.remove:
            path = self._directory / entry.name
            before = done
            try:
                if path in self._open_files():  # opened since the plan was made
                    report.kept += 1
                    continue
                if self._mode == "zip":
                    self._archive(entry, path, report, add)
                else:
                    self._delete(entry, path, report)
                self._note_unshipped(entry, report)
            except (OSError, NotArchivedError) as error:
                report.failed.append((path, _reason(error)))
            add(entry.size - (done - before))
        for entry in plan.expire:
            path = self._archive_dir / entry.name
            try:
                self._delete(entry, path, report)
            except OSError as error:
                report.failed.append((path, _reason(error)))
            add(entry.size)

    def _note_unshipped(self, entry: Entry, report: SweepReport) -> None:
        if unsent := self._unsent.get(entry.name):
            report.unshipped.append((self._directory / entry.name, unsent))

    def _delete(self, entry: Entry, path: Path, report: SweepReport) -> None:
        self._files.remove(path)
        report.deleted.append(path)
        report.freed += entry.size

    def _archive(
        self, entry: Entry, path: Path, report: SweepReport, add: Callable[[int], None]
    ) -> None:
        with self._files.open_source(path) as source:
            before = self._files.identity(source)
            archive = self._archive_file(
                self._files,
                source,
                name=entry.name,
                day=entry.day,
                directory=self._archive_dir,
                progress=add,
            )
            # Whoever wrote to it or put another file in its place meanwhile has the newer truth.
            if self._files.identity_at(path) != before:
                raise NotArchivedError("the file changed while it was archived")
        self._files.remove(path)
        report.archived.append((path, archive))
        report.freed += entry.size - self._files.entry(archive, entry.day).size
        self._files.fsync_directory(self._directory)

    def _remove_parts(self) -> None:
        """Remove what an earlier round left unfinished; where that fails, the next one will."""
        try:
            for name in self._files.names(self._archive_dir):
                if name.endswith(PART_SUFFIX) and day_of_archive(name.removesuffix(PART_SUFFIX)):
                    self._files.remove(self._archive_dir / name)
        except OSError:
            pass


def _reason(error: Exception) -> str:
    """Why a file could not be handled, as an operator reads it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
