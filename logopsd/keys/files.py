"""The files of the day keys: `YYYYMMDD.key` in a folder of their own, one wrapped key each.

Only bytes are handled here; `day_keys.py` knows what they mean. The folder should be in no backup
that outlives the days: deleting a file makes the tokens of its day unreadable for good.
"""

import contextlib
import datetime
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from logopsd.patterns import lazy_pattern
from logopsd.retention.policy import Entry, day_of_archive, day_of_file, decide
from logopsd.retention.sweeper import SweepReport

FILE_MODE = 0o600
"""The daemon alone reads and writes them."""

DIRECTORY_MODE = 0o700

MAX_BYTES = 4096
"""A wrapped key is 208 bytes; what is longer is none."""

_FOREVER = 10**6
"""Days after which no file goes, as its archive is kept for good."""

_NAME = lazy_pattern(r"([0-9]{8})\.key", re.ASCII)


class DayKeyFiles:
    """The folder.

    Args:
        directory: made with the first key.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, day: str) -> Path:
        """Where the key of a day is, YYYYMMDD."""
        return self.directory / f"{day}.key"

    def read(self, day: str) -> bytes | None:
        """Return what a file holds; None where there is none.

        Raises:
            OSError: it cannot be read.
        """
        try:
            fd = os.open(self.path(day), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(fd, "rb") as file:
            return file.read(MAX_BYTES)

    def create(self, day: str, contents: bytes) -> bool:
        """Store the key of a new day durably; False where another process was faster.

        The name appears with its whole content, once that is on the disk: a link is made to a
        file that was written and fsynced, and a link never replaces another.

        Raises:
            OSError: it cannot be stored; nothing of it is left.
        """
        with self._written(contents) as temporary:
            try:
                os.link(temporary, self.path(day))
            except FileExistsError:
                return False
            self._fsync_directory()
        return True

    def replace(self, day: str, contents: bytes) -> None:
        """Put other contents in the place of those of a day, durably and at once.

        Raises:
            OSError: it cannot be done; the old file stands.
        """
        with self._written(contents) as temporary:
            os.rename(temporary, self.path(day))
            self._fsync_directory()

    def remove(self, day: str) -> None:
        """Delete the key of a day.

        Raises:
            OSError: it cannot be done.
        """
        os.unlink(self.path(day))
        self._fsync_directory()

    def days(self) -> list[str]:
        """Return the days that have a key, YYYYMMDD, in order; none where there is no folder.

        Raises:
            OSError: the folder cannot be read.
        """
        try:
            names = os.listdir(self.directory)
        except FileNotFoundError:
            return []
        return sorted(match[1] for name in names if (match := _NAME.fullmatch(name)))

    @contextlib.contextmanager
    def _written(self, contents: bytes) -> Iterator[Path]:
        """A file of this content beside the others, durable, and gone afterwards."""
        self.directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
        temporary = self.directory / f".{os.urandom(8).hex()}.part"
        fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(contents)
                file.flush()
                os.fsync(fd)
            yield temporary
        finally:
            with contextlib.suppress(FileNotFoundError):  # renamed
                os.unlink(temporary)

    def _fsync_directory(self) -> None:
        fd = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


class DayKeySweeper:
    """Deletes the keys of days that retention has let go of.

    A day's key goes once no file and no archive of the day is left, and the last of them went in
    this round or the day is too old by itself. Where anything about that is unsure, it stays.

    Args:
        files: the folder of the keys.
        days: a key more than so many days old goes; None for never by age.
        folders: where files and archives of the days may be.
    """

    def __init__(self, files: DayKeyFiles, *, days: int | None, folders: Sequence[Path]) -> None:
        self._files = files
        self._days = days
        self._folders = folders

    def sweep(self, report: SweepReport, *, today: datetime.date) -> None:
        """Do what is to be done after a round over the files, and add it to its report."""
        if report.stopped:
            return
        try:
            keys = self._files.days()
            entries = [entry for key in keys if (entry := self._entry(key))]
            left = self._days_left(set(report.deleted)) if entries else set()
        except OSError as error:
            report.failed.append((self._files.directory, error.strerror or "cannot be read"))
            return
        days = _FOREVER if self._days is None else self._days
        plan = decide(entries, (), today=today, days=days)
        due = {entry.day for entry in plan.remove} | {
            day for path in report.deleted if (day := _day_of(path)) and day < today
        }
        for entry in entries:
            if entry.day in due and entry.day not in left:
                self._remove(entry, report)

    def _entry(self, key: str) -> Entry | None:
        day = _day_of(self._files.path(key).with_suffix(".ndjson"))
        if day is None:  # the 31st of February
            return None
        there = self._files.path(key).lstat()
        written = datetime.datetime.fromtimestamp(there.st_mtime, datetime.UTC).date()
        return Entry(key, there.st_size, day, written)

    def _days_left(self, going: Collection[Path]) -> set[datetime.date]:
        """The days of which a file or an archive is left, but for those that a dry run names."""
        left: set[datetime.date] = set()
        for folder in self._folders:
            with contextlib.suppress(FileNotFoundError):
                paths = (folder / name for name in os.listdir(folder))
                left.update(day for p in paths if p not in going and (day := _day_of(p)))
        return left

    def _remove(self, entry: Entry, report: SweepReport) -> None:
        path = self._files.path(entry.name)
        try:
            if not report.dry_run:
                self._files.remove(entry.name)
        except OSError as error:
            report.failed.append((path, error.strerror or type(error).__name__))
            return
        report.deleted.append(path)
        report.freed += 0 if report.dry_run else entry.size


def _day_of(path: Path) -> datetime.date | None:
    return day_of_file(path.name) or day_of_archive(path.name)
