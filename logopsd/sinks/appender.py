"""Appends batches to the files of one stem, and can be asked again after any error.

Every method may raise OSError in the midst of its work, and leaves the state such that calling
`drain` and `sync` again goes on at the right byte. What is promised, and how:

- **A batch is never torn nor doubled by a failed or short write**: how many bytes of the first
  batch in the queue are in the file already is remembered, and the next attempt starts there.
- **A failed fsync loses nothing.** After one the kernel may have marked pages as clean that never
  reached the disk, and the next fsync of the same file would succeed (the "fsyncgate" of 2018).
  So the file is given up: what it holds since the last good fsync is written again to the next
  piece, and no receipt is given before that one is fsynced. Duplicates rather than loss.
- **A file that refuses while the disk is well** (its descriptor is dead, it is too large) is given
  up in the same way. Whether the disk is well is asked with a probe file, which is written and
  fsynced; without it a failing disk would fill with pieces.
"""

import errno
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path

from logopsd.sinks.files import FileLayer
from logopsd.sinks.rotation import newest_number, piece_name
from logopsd.sinks.torn import mend_torn_tail

SPACE_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT})
"""Nothing is wrong with the file, there is only no room: wait, and go on with the same byte."""

_REFUSALS = 2
"""Errors of one file in a row, other than of space, after which the disk is probed."""

_BUFFERS = 1024
"""Buffers one writev takes (IOV_MAX of Linux)."""

_PROBE_NAME = ".probe"
_PROBE = b"\n" * 4096
"""Of one page, the least that makes the disk allocate and write something."""


class Appender:
    """The files of one stem.

    Args:
        directory: where they are; it must exist.
        stem: what their names begin with, `YYYYMMDD` or `YYYYMMDD-error`.
        files: the operations on files.
        max_file_bytes: a file does not grow beyond it unless by a single batch; 0 is no limit.
        keep: hold in memory what was written since the last fsync, so that it can be written
            again; without it a failed fsync is only reported.
        torn: called with the path and the length of a torn last line that was set aside.

    Attributes:
        queue: batches to be written, in order; of the first one a part may be in the file.
        kept_bytes: how much is held in memory since the last fsync.
        dirty: something was written since the last fsync.
        check_due: look before the next write whether the file is still at its path.
    """

    def __init__(
        self,
        *,
        directory: Path,
        stem: str,
        files: FileLayer,
        max_file_bytes: int,
        keep: bool,
        torn: Callable[[Path, int], None],
    ) -> None:
        self.queue: deque[bytes] = deque()
        self.kept_bytes = 0
        self.dirty = False
        self.check_due = False
        self._directory = directory
        self._stem = stem
        self._files = files
        self._max = max_file_bytes
        self._keep = keep
        self._torn = torn
        self._kept: list[bytes] = []
        self._fd = -1
        self._number = -1  # of the piece that is open or to be opened; -1: the newest there is
        self._size = 0
        self._done = 0  # bytes of queue[0] that are in the open file
        self._refusals = 0
        self._probe_first = False
        self._directory_dirty = False

    @property
    def path(self) -> Path | None:
        """The file that is open, if one is."""
        if self._fd < 0:
            return None
        return self._directory / piece_name(self._stem, self._number)

    def drain(self) -> None:
        """Write everything in the queue."""
        try:
            if self.check_due:
                self._check()
            while self.queue:
                self._make_room()
                self._write_some()
        except OSError as error:
            self._judge(error)
            raise

    def sync(self) -> None:
        """Make durable what was written; on failure it goes back to the queue."""
        if self._directory_dirty:
            self._files.fsync_directory(self._directory)
            self._directory_dirty = False
        if not self.dirty:
            return
        try:
            self._files.fsync(self._fd)
        except OSError:
            self._give_up()
            raise
        self._forget_kept()

    def close(self) -> None:
        """Make durable what was written and close the file; a later write opens it again."""
        self.sync()
        self._close()
        self._number = -1

    def abandon(self) -> None:
        """Close the file as it is; for the end of a daemon whose disk does not come back."""
        self._close()

    # Which file

    def _make_room(self) -> None:
        """See that a file is open that may take the first batch of the queue."""
        if self._probe_first:
            self._probe()
            self._probe_first = False
        if self._fd < 0:
            self._open()
        while not self._done and self._size and self._over(self._size + len(self.queue[0])):
            number = self._number + 1
            self.close()
            self._number = number
            self._open()

    def _over(self, size: int) -> bool:
        return 0 < self._max < size

    def _open(self) -> None:
        """Open the piece that is due, made if need be, and mended if its last line is torn."""
        if self._number < 0:
            self._number = newest_number(self._files.names(self._directory), self._stem)
        path = self._directory / piece_name(self._stem, self._number)
        # Also for a file that exists: who made it may have died before its name was durable.
        self._directory_dirty = True
        try:
            fd = self._files.create(path)
        except FileExistsError:
            if length := mend_torn_tail(self._files, path):
                self._torn(path, length)
            fd = self._files.open_append(path)
        try:
            self._size = self._files.fstat(fd).st_size
        except OSError:
            self._files.close(fd)
            raise
        self._fd, self._done, self._refusals, self.check_due = fd, 0, 0, False

    def _check(self) -> None:
        """Let go of a file that was moved or removed, so that the next write makes it anew."""
        if self._fd >= 0:
            ours = self._files.fstat(self._fd)
            there = self._at_path()
            if there is None or (there.st_dev, there.st_ino) != (ours.st_dev, ours.st_ino):
                if ours.st_nlink:
                    self._leave_moved()
                else:
                    self._leave_removed()
        self.check_due = False

    def _at_path(self) -> os.stat_result | None:
        """What the path of the open file names; raises where the whole directory is gone."""
        assert self.path is not None
        try:
            return self._files.stat(self.path)
        except FileNotFoundError:
            self._files.stat(self._directory)
            return None

    def _leave_moved(self) -> None:
        """The file lives on elsewhere: complete it there."""
        while self._done:
            self._write_some(whole=False)
        self.close()

    def _leave_removed(self) -> None:
        """Someone removed the file: write again what is at hand of it, and the torn batch whole."""
        self._requeue_kept()
        self._close()
        self._number = -1

    # Writing

    def _write_some(self, *, whole: bool = True) -> None:
        """One call of writev: the rest of the first batch and, if `whole`, those that fit."""
        taken = self._files.writev(self._fd, self._run() if whole else [self._head()])
        if taken <= 0:
            raise OSError(errno.EIO, "the write took nothing")
        self._refusals = 0
        self._size += taken
        self.dirty = True
        self._done += taken
        while self.queue and self._done >= len(self.queue[0]):
            batch = self.queue.popleft()
            self._done -= len(batch)
            if self._keep:
                self._kept.append(batch)
                self.kept_bytes += len(batch)

    def _head(self) -> bytes | memoryview:
        head = self.queue[0]
        return memoryview(head)[self._done :] if self._done else head

    def _run(self) -> list[bytes | memoryview]:
        """What goes into the open file with one call."""
        run = [self._head()]
        size = self._size + len(run[0])
        for index in range(1, min(len(self.queue), _BUFFERS)):
            batch = self.queue[index]
            size += len(batch)
            if self._over(size):
                break
            run.append(batch)
        return run

    # When it fails

    def _judge(self, error: OSError) -> None:
        """After a failed attempt: is it the disk, or only this file?"""
        if self._fd < 0 or error.errno in SPACE_ERRORS:
            return
        self._refusals += 1
        if self._refusals >= _REFUSALS:
            self._probe()
            self._give_up()

    def _probe(self) -> None:
        """Write and fsync a file of no meaning; OSError where the disk is not well."""
        path = self._directory / _PROBE_NAME
        try:
            fd = self._files.create(path)
        except FileExistsError:  # left by a crash, or by a probe that failed
            fd = self._files.open_update(path)
        try:
            if self._files.pwrite(fd, _PROBE, 0) < len(_PROBE):
                raise OSError(errno.ENOSPC, "no room for the probe")
            self._files.fsync(fd)
        finally:
            self._files.close(fd)
        self._files.remove(path)

    def _give_up(self) -> None:
        """Leave the open file for the next piece, and write again what may not be on the disk."""
        self._end_line()
        self._requeue_kept()
        self._close()
        self._number += 1
        self._probe_first = True

    def _end_line(self) -> None:
        """Complete the line that a failed write tore, if the file still takes it.

        Where it does not, the next start sets the torn line aside: it is written again anyway.
        """
        try:
            while self._done and self.queue[0][self._done - 1] != 0x0A:
                end = self.queue[0].find(b"\n", self._done) + 1 or len(self.queue[0])
                self._done += self._files.writev(
                    self._fd, [memoryview(self.queue[0])[self._done : end]]
                )
        except OSError:
            pass

    def _requeue_kept(self) -> None:
        self.queue.extendleft(reversed(self._kept))
        self._forget_kept()
        self._done = 0

    def _forget_kept(self) -> None:
        self._kept.clear()
        self.kept_bytes = 0
        self.dirty = False

    def _close(self) -> None:
        """Close the file; what an fsync did not complain about, close has no news of."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            self._done = 0
            try:
                self._files.close(fd)
            except OSError:
                pass
