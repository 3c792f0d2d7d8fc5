"""A disk that fails on demand, and remembers what would survive a power cut."""

import errno
import os
from collections import defaultdict, deque
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from logopsd.sinks.files import OsFiles


class Fault(NamedTuple):
    """What happens instead of one call.

    Attributes:
        code: the errno that is raised; 0 for none.
        taken: how many bytes of a write are taken, where no error is raised.
    """

    code: int
    taken: int = 0


class FaultyFiles(OsFiles):
    """The real files, but each call first asks its queue in `faults` what is to go wrong.

    `faults["writev"].append(Fault(errno.ENOSPC))` lets the next writev fail; None in a queue lets
    a call pass. `broken` is an errno that every call which writes fails with, until it is 0.

    After each fsync it is noted which bytes of a file are on the disk. A failed fsync drops what
    was not: as with the page cache of Linux, a later fsync does not bring it back.
    """

    def __init__(self) -> None:
        self.faults: dict[str, deque[Fault | None]] = defaultdict(deque)
        self.broken = 0
        self.calls: dict[str, int] = defaultdict(int)
        self._seen: dict[int, int] = {}  # inode -> bytes of which the fate is known
        self._durable: dict[int, list[tuple[int, int]]] = defaultdict(list)
        self._named: dict[int, bool] = {}  # inode -> the directory was fsynced since

    def durable(self, path: Path) -> bytes:
        """What a power cut would leave of a file, without what was lost in between."""
        inode = path.stat().st_ino
        if not self._named.get(inode, True):
            return b""
        data = path.read_bytes()
        return b"".join(data[start:end] for start, end in self._durable[inode])

    def _meet(self, call: str, *, writes: bool = False) -> Fault | None:
        self.calls[call] += 1
        fault = self.faults[call].popleft() if self.faults[call] else None
        if self.broken and writes:
            fault = Fault(self.broken)
        if fault is not None and fault.code:
            raise OSError(fault.code, os.strerror(fault.code))
        return fault

    def create(self, path: Path) -> int:
        """Create, perhaps."""
        self._meet("create", writes=True)
        fd = super().create(path)
        inode = os.fstat(fd).st_ino
        self._named[inode] = False
        self._seen[inode] = 0  # an inode may be a removed file's
        self._durable[inode] = []
        return fd

    def open_append(self, path: Path) -> int:
        """Open, perhaps."""
        self._meet("open_append")
        return super().open_append(path)

    def open_read(self, path: Path) -> int:
        """Open, perhaps."""
        self._meet("open_read")
        return super().open_read(path)

    def open_update(self, path: Path) -> int:
        """Open, perhaps."""
        self._meet("open_update")
        return super().open_update(path)

    def writev(self, fd: int, buffers: Sequence[bytes | memoryview]) -> int:
        """Append, perhaps only a part."""
        fault = self._meet("writev", writes=True)
        if fault is None:
            return super().writev(fd, buffers)
        return os.write(fd, b"".join(buffers)[: max(1, fault.taken)])

    def pread(self, fd: int, size: int, offset: int) -> bytes:
        """Read, perhaps."""
        self._meet("pread")
        return super().pread(fd, size, offset)

    def pwrite(self, fd: int, data: bytes | memoryview, offset: int) -> int:
        """Write, perhaps only a part."""
        fault = self._meet("pwrite", writes=True)
        return super().pwrite(fd, data if fault is None else data[: max(1, fault.taken)], offset)

    def set_time(self, fd: int, of: os.stat_result) -> None:
        """Set the time, perhaps."""
        self._meet("set_time", writes=True)
        super().set_time(fd, of)

    def fsync(self, fd: int) -> None:
        """Make durable, or lose."""
        there = os.fstat(fd)
        start = self._seen.get(there.st_ino, 0)
        self._seen[there.st_ino] = there.st_size
        self._meet("fsync", writes=True)
        self._durable[there.st_ino].append((start, there.st_size))

    def fsync_directory(self, path: Path) -> None:
        """Make the names durable, perhaps."""
        self._meet("fsync_directory", writes=True)
        for inode in self._named:
            self._named[inode] = True

    def fstat(self, fd: int) -> os.stat_result:
        """Look, perhaps."""
        self._meet("fstat")
        return super().fstat(fd)

    def stat(self, path: Path) -> os.stat_result:
        """Look, perhaps."""
        self._meet("stat")
        return super().stat(path)

    def close(self, fd: int) -> None:
        """Close, and perhaps complain of it: the descriptor is gone in any case."""
        super().close(fd)
        self._meet("close")

    def remove(self, path: Path) -> None:
        """Remove, perhaps."""
        self._meet("remove", writes=True)
        super().remove(path)

    def names(self, directory: Path) -> list[str]:
        """List, perhaps."""
        self._meet("names")
        return super().names(directory)

    def free_bytes(self, directory: Path) -> int:
        """Ask, perhaps."""
        self._meet("free_bytes")
        return super().free_bytes(directory)


SPACE = (errno.ENOSPC, errno.EDQUOT)
"""Errors that say nothing against a file, only that there is no room."""

ANY = (*SPACE, errno.EIO, errno.EROFS, errno.EFBIG, errno.ESTALE)
"""What disks have been seen to answer."""
