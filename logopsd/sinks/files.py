"""The few operations on files that the sink needs, gathered so that tests can let them fail."""

import errno
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

FILE_MODE = 0o640
"""Of every file: the daemon writes, its group (the log shipper) reads, no one else does."""

DIRECTORY_MODE = 0o750
"""Of the directory, where the daemon creates it; the same reason."""

_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC

_NO_DIRECTORY_FSYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})
"""What file systems answer that cannot fsync a directory, and need not (as PostgreSQL has it)."""


class FileLayer(Protocol):
    """What the sink asks of the operating system; each raises OSError as the system does."""

    def create(self, path: Path) -> int:
        """Create a file for appending, mode FILE_MODE; FileExistsError where there is one."""

    def open_append(self, path: Path) -> int:
        """Open an existing file for appending."""

    def open_read(self, path: Path) -> int:
        """Open an existing file for reading."""

    def open_update(self, path: Path) -> int:
        """Open an existing file for reading and for writing at any place."""

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        """Append the buffers, at most 1024 of them; return how many bytes were taken."""

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """Read up to `size` bytes at `offset`."""

    def pwrite(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Write at `offset`; return how many bytes were taken."""

    def set_time(self, fd: int, of: os.stat_result) -> None:
        """Give the file the time stamps that it had."""

    def fsync(self, fd: int) -> None:
        """Return once everything written through any descriptor of the file is on the disk."""

    def fsync_directory(self, path: Path) -> None:
        """Make the names in a directory durable."""

    def fstat(self, fd: int) -> os.stat_result:
        """What the open file is now."""

    def stat(self, path: Path) -> os.stat_result:
        """What the path names now."""

    def close(self, fd: int) -> None:
        """Give the descriptor back."""

    def remove(self, path: Path) -> None:
        """Remove a file."""

    def names(self, directory: Path) -> list[str]:
        """The names in a directory, in no order."""

    def free_bytes(self, directory: Path) -> int:
        """Bytes that an unprivileged process may still write on this file system."""


class OsFiles:
    """The real thing: thin calls into `os`."""

    def create(self, path: Path) -> int:
        """See FileLayer. The mode is set once more, as the umask may have taken bits off it."""
        fd = os.open(path, _APPEND | os.O_CREAT | os.O_EXCL, FILE_MODE)
        try:
            os.fchmod(fd, FILE_MODE)
        except PermissionError:  # a file system without modes (vfat): nothing to set
            pass
        except OSError:
            os.close(fd)
            raise
        return fd

    def open_append(self, path: Path) -> int:
        """See FileLayer."""
        return os.open(path, _APPEND)

    def open_read(self, path: Path) -> int:
        """See FileLayer."""
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def open_update(self, path: Path) -> int:
        """See FileLayer. Without O_APPEND, which on Linux would turn pwrite into an append."""
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        """See FileLayer."""
        return os.writev(fd, buffers)

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """See FileLayer."""
        return os.pread(fd, size, offset)

    def pwrite(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """See FileLayer."""
        return os.pwrite(fd, data, offset)

    def set_time(self, fd: int, of: os.stat_result) -> None:
        """See FileLayer."""
        os.utime(fd, ns=(of.st_atime_ns, of.st_mtime_ns))

    def fsync(self, fd: int) -> None:
        """See FileLayer."""
        os.fsync(fd)

    def fsync_directory(self, path: Path) -> None:
        """See FileLayer."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_FSYNC:
                raise
        finally:
            os.close(fd)

    def fstat(self, fd: int) -> os.stat_result:
        """See FileLayer."""
        return os.fstat(fd)

    def stat(self, path: Path) -> os.stat_result:
        """See FileLayer."""
        return os.stat(path)

    def close(self, fd: int) -> None:
        """See FileLayer."""
        os.close(fd)

    def remove(self, path: Path) -> None:
        """See FileLayer."""
        os.unlink(path)

    def names(self, directory: Path) -> list[str]:
        """See FileLayer."""
        return os.listdir(directory)

    def free_bytes(self, directory: Path) -> int:
        """See FileLayer."""
        there = os.statvfs(directory)
        return there.f_bavail * there.f_frsize


class DirectoryLock:
    """An exclusive lock on a directory, so that two daemons never append to the same files.

    It is a flock on `.lock` in it: the kernel lets go of it when the process ends, however it
    ends. The file holds the process id of the owner, for the message to the second.

    Args:
        directory: the directory; it must exist.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / ".lock"
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock; BlockingIOError where another process has it."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE_MODE)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        self._fd, before = fd, self._fd
        if before >= 0:
            os.close(before)
        try:
            os.ftruncate(fd, 0)
            os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        except OSError:  # a full disk: the lock holds without the number
            pass

    def owner(self) -> str:
        """The process id in the lock file, or `unknown`."""
        try:
            text = self._path.read_bytes()[:20].strip().decode("ascii", "replace")
        except OSError:
            text = ""
        return text if text.isdigit() else "unknown"

    def ensure(self) -> None:
        """Take the lock anew where the directory was replaced by another one meanwhile.

        Raises:
            OSError: the directory is gone, or locked by another process (BlockingIOError).
        """
        ours = os.fstat(self._fd)
        try:
            there: os.stat_result | None = os.stat(self._path)
        except FileNotFoundError:
            there = None
        if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
            self.acquire()

    def fileno(self) -> int:
        """The descriptor that holds the lock: whoever is given it holds it too."""
        return self._fd

    def release(self) -> None:
        """Let go; the file stays, as removing it would race with the next owner."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


class HeldLock(DirectoryLock):
    """The lock of a directory that another process took for us, and whose descriptor we were given.

    A flock belongs to the open file: it is held until the last of its processes has ended.

    Args:
        directory: the directory.
        fd: holds the lock.
    """

    def __init__(self, directory: Path, fd: int) -> None:
        super().__init__(directory)
        self._fd = fd

    def acquire(self) -> None:
        """It is held already."""

    def ensure(self) -> None:
        """Look that the directory is there; who took the lock sees to a new one.

        Raises:
            OSError: the directory is gone.
        """
        os.stat(self._path.parent)

    def release(self) -> None:
        """It is held until the process ends."""
