"""The steps that a round of retention asks of the operating system; tests let each of them fail."""

import datetime
import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from logopsd.retention.policy import Entry

_FILE_MODE = 0o640
_DIRECTORY_MODE = 0o750
"""As for the files of the sink: the group may read, no one else."""

PART_SUFFIX = ".part"
"""Of an archive that is not finished; a later round writes it anew or removes it."""


class NotArchivedError(Exception):
    """The archive would not be whole; the text says why. The source stays."""


class RetentionFiles:
    """Each method is one step; it raises OSError as the system does."""

    def lock(self, directory: Path) -> int:
        """Lock out another round in the same folder; BlockingIOError while there is one.

        The lock ends when the descriptor that is returned is closed, or the process ends.
        """
        fd = os.open(directory / ".sweep", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _FILE_MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        return fd

    def unlock(self, fd: int) -> None:
        """End the lock."""
        os.close(fd)

    def names(self, directory: Path) -> list[str]:
        """The names in a directory; none where it does not exist."""
        try:
            return os.listdir(directory)
        except FileNotFoundError:
            return []

    def entry(self, path: Path, day: datetime.date) -> Entry:
        """The size and time of a file."""
        there = path.lstat()
        written = datetime.datetime.fromtimestamp(there.st_mtime, datetime.UTC).date()
        return Entry(path.name, there.st_size, day, written)

    def make_directory(self, directory: Path) -> None:
        """Make the folder of archives, if it is not there."""
        directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)

    def open_source(self, path: Path) -> BinaryIO:
        """Open a file for reading; a symbolic link is refused, as it may lead anywhere."""
        return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")

    def identity(self, source: BinaryIO) -> tuple[int, int, int, int]:
        """What tells whether an open file is the same, and was not written to: compare it."""
        there = os.fstat(source.fileno())
        return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns

    def identity_at(self, path: Path) -> tuple[int, int, int, int]:
        """The same of what a path names now."""
        there = os.lstat(path)
        return there.st_dev, there.st_ino, there.st_size, there.st_mtime_ns

    def create(self, path: Path) -> BinaryIO:
        """Open a file for writing from its start, and for reading back."""
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.fdopen(os.open(path, flags, _FILE_MODE), "w+b")

    def read(self, source: BinaryIO, size: int) -> bytes:
        """Read the next bytes."""
        return source.read(size)

    def fsync(self, file: BinaryIO) -> None:
        """Make what was written durable, and have later reads come from the disk."""
        file.flush()
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def fsync_directory(self, directory: Path) -> None:
        """Make the names in a directory durable."""
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def rename(self, path: Path, to: Path) -> None:
        """Give a file its name."""
        os.rename(path, to)

    def exists(self, path: Path) -> bool:
        """Whether something has this name."""
        return os.path.lexists(path)

    def remove(self, path: Path) -> None:
        """Remove a file."""
        os.unlink(path)
