"""The open files under one fsync policy: what the writer thread does, without the thread.

`write`, `tend` and `close` may raise OSError at any point; called again, they go on where they
were.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from logopsd.sinks.appender import Appender
from logopsd.sinks.files import DirectoryLock, FileLayer

KEPT_MAX = 32 * 1024 * 1024
"""Bytes written and not yet fsynced that are held to be written again; beyond it the fsync comes
before its interval is over, so that memory stays bounded on a disk faster than its fsyncs."""

CHECK_SECONDS = 1.0
"""How often it is looked whether files were moved or removed; a few calls of stat each."""

IDLE_SECONDS = 60.0
"""A file that nothing was written to for so long is closed: yesterday's, above all."""

FREE_CHECK_BYTES = 8 * 1024 * 1024
"""After so many bytes the free space is asked anew, even within CHECK_SECONDS."""

Fsync = Literal["always", "never"] | float
"""When to fsync: before any receipt; only when a file is closed; at most so many seconds after a
write."""


class Writer:
    """Appends to the files of every stem, keeps them in sight, and fsyncs them in time.

    Args:
        directory: where the files are; it exists.
        lock: the lock on it, held.
        files: the operations on files.
        max_file_bytes: see NdjsonSink.
        fsync: see Fsync.
        min_free_bytes: see NdjsonSink.
        torn: called with path and length of a torn last line that was set aside.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        *,
        directory: Path,
        lock: DirectoryLock,
        files: FileLayer,
        max_file_bytes: int,
        fsync: Fsync,
        min_free_bytes: int,
        torn: Callable[[Path, int], None],
        clock: Callable[[], float],
    ) -> None:
        self._directory = directory
        self._lock = lock
        self._files = files
        self._max_file_bytes = max_file_bytes
        self._fsync = fsync
        self._min_free = min_free_bytes
        self._torn = torn
        self._clock = clock
        self._appenders: dict[str, Appender] = {}
        self._used_at: dict[str, float] = {}
        self._sync_at: float | None = None
        self._checked_at = float("-inf")
        self._free_asked_at = float("-inf")
        self._free_left = 0  # of what was asked last, beyond the bytes to be kept free
        self._since_asked = 0
        self.open_paths: frozenset[Path] = frozenset()

    def add(self, stem: str, data: bytes) -> None:
        """Queue whole lines, not empty, for the file of this stem: a day, or a day and a label."""
        appender = self._appenders.get(stem)
        if appender is None:
            appender = self._appenders[stem] = Appender(
                directory=self._directory,
                stem=stem,
                files=self._files,
                max_file_bytes=self._max_file_bytes,
                keep=self._fsync != "never",
                torn=self._torn,
            )
        appender.queue.append(data)
        self._used_at[stem] = self._clock()
        self._since_asked += len(data)

    def write(self) -> None:
        """Write all that is queued, and make it durable where the policy is `always`."""
        try:
            self._check_files()
            self._check_free()
            for appender in self._appenders.values():
                appender.drain()
        except OSError:
            self._plan_sync()
            if self._sync_due():
                self._sync_written()
            raise
        finally:
            self._note_open()
        if self._fsync == "always":
            self._sync()
        else:
            self._plan_sync()

    def tend(self) -> None:
        """Do what is due without a further write: fsync, and close what is idle."""
        if self._sync_due():
            self._sync()
        now = self._clock()
        for stem in [stem for stem, at in self._used_at.items() if now - at >= IDLE_SECONDS]:
            self._close(stem)
        self._note_open()

    def seconds_until_due(self) -> float | None:
        """How long until `tend` has something to do; None: not without a further write."""
        due = [at + IDLE_SECONDS for at in self._used_at.values()]
        if self._sync_at is not None:
            due.append(self._sync_at)
        return min(due) - self._clock() if due else None

    def check_now(self) -> None:
        """Have the next write look whether the files are still at their paths."""
        self._checked_at = float("-inf")

    def close(self) -> None:
        """Make everything durable and close all files."""
        for stem in list(self._appenders):
            self._close(stem)
        self._sync_at = None
        self._note_open()

    def abandon(self) -> None:
        """Close all files as they are, and let go of the directory."""
        for appender in self._appenders.values():
            appender.abandon()
        self._note_open()
        self._lock.release()

    def _close(self, stem: str) -> None:
        appender = self._appenders[stem]
        appender.drain()
        appender.close()
        del self._appenders[stem], self._used_at[stem]

    def _sync(self) -> None:
        for appender in self._appenders.values():
            appender.drain()  # what an fsync that failed left to be written again
            appender.sync()
        self._sync_at = None

    def _sync_written(self) -> None:
        """Keep the promise of the interval for what a disk took before it was full."""
        for appender in self._appenders.values():
            appender.sync()
        self._sync_at = None

    def _sync_due(self) -> bool:
        return self._sync_at is not None and self._clock() >= self._sync_at

    def _plan_sync(self) -> None:
        """After a write: the interval runs from the first one that is not durable."""
        if isinstance(self._fsync, str):
            return
        if self._sync_at is None and any(a.dirty for a in self._appenders.values()):
            self._sync_at = self._clock() + self._fsync
        if sum(a.kept_bytes for a in self._appenders.values()) >= KEPT_MAX:
            self._sync_at = self._clock()

    def _check_files(self) -> None:
        now = self._clock()
        if now - self._checked_at < CHECK_SECONDS:
            return
        self._lock.ensure()
        for appender in self._appenders.values():
            appender.check_due = True
        self._checked_at = now

    def _check_free(self) -> None:
        """Stall while the disk has not room for what is queued and the bytes to be kept free."""
        if not self._min_free:
            return
        now = self._clock()
        recent = now - self._free_asked_at < CHECK_SECONDS
        if recent and self._since_asked <= min(self._free_left, FREE_CHECK_BYTES):
            return
        queued = sum(len(batch) for a in self._appenders.values() for batch in a.queue)
        free = self._files.free_bytes(self._directory) - self._min_free
        if queued > free:
            raise OSError(errno.ENOSPC, "less than LOGOPS_MIN_FREE_BYTES would be left free")
        self._free_asked_at, self._free_left = now, free - queued
        self._since_asked = 0

    def _note_open(self) -> None:
        paths = (appender.path for appender in self._appenders.values())
        self.open_paths = frozenset(path for path in paths if path is not None)
