"""The daily NDJSON files as a sink: `YYYYMMDD.ndjson`, one thread, a locked directory."""

import datetime
import errno
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

from logopsd.errors import SinkError
from logopsd.sinks.contract import Batch, SinkObserver
from logopsd.sinks.files import DIRECTORY_MODE, DirectoryLock, FileLayer, OsFiles
from logopsd.sinks.rotation import parse_piece, writer_of
from logopsd.sinks.split import by_input, by_level
from logopsd.sinks.thread import HIGH_WATER, LOW_WATER, RETRY_SECONDS, ThreadedSink, by_day
from logopsd.sinks.torn import mend_torn_tail
from logopsd.sinks.writer import Fsync, Writer

__all__ = ["Fsync", "NdjsonSink", "SinkObserver", "Split"]

Split = Literal["level", "input"]
"""By what a day's records go to files of their own, `YYYYMMDD-error.ndjson`."""

_Spread = Callable[[Batch], Iterable[tuple[str, bytes]]]

_SPREAD: dict[Split | None, _Spread] = {None: by_day, "level": by_level, "input": by_input}


class NdjsonSink(ThreadedSink):
    """Appends batches of whole lines to `YYYYMMDD.ndjson`.

    Args:
        directory: where the files are; made if it is not there.
        max_file_bytes: after so many a day's file goes on in its next piece; 0 is never.
        fsync: see writer.Fsync.
        deliver: runs a callable in the event loop (`loop.call_soon_threadsafe`).
        observer: see SinkObserver.
        high_water: bytes pending above which everyone registered is asked to pause.
        low_water: bytes pending below which they are asked to resume.
        min_free_bytes: stall rather than leave less than this free on the disk; 0 is off.
        split: a file for each level or input instead of one for all.
        suffix: ends the stem of each file, for one of several processes that write here. Of the
            files that are there it then looks at its own alone.
        lock: of the directory; by default this process locks it for itself.
        retry_seconds: the first and the last wait of a stalled sink.
        files: the operations on files.
        clock: seconds, monotonic.
        defer: see ThreadedSink.
    """

    def __init__(
        self,
        *,
        directory: Path,
        max_file_bytes: int,
        fsync: Fsync,
        deliver: Callable[[Callable[[], None]], object],
        observer: SinkObserver,
        high_water: int = HIGH_WATER,
        low_water: int = LOW_WATER,
        min_free_bytes: int = 0,
        split: Split | None = None,
        suffix: str = "",
        lock: DirectoryLock | None = None,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
        files: FileLayer | None = None,
        clock: Callable[[], float] = time.monotonic,
        defer: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._directory = directory
        self._files = files or OsFiles()
        self._suffix = suffix
        self._lock = lock or DirectoryLock(directory)
        self._writer = Writer(
            directory=directory,
            lock=self._lock,
            files=self._files,
            max_file_bytes=max_file_bytes,
            fsync=fsync,
            min_free_bytes=min_free_bytes,
            torn=observer.torn,
            clock=clock,
        )
        super().__init__(
            backend=self._writer,
            deliver=deliver,
            observer=observer,
            high_water=high_water,
            low_water=low_water,
            retry_seconds=retry_seconds,
            clock=clock,
            defer=defer,
            spread=_with_suffix(_SPREAD[split], suffix) if suffix else _SPREAD[split],
        )

    def open(self) -> None:
        """Make and lock the directory, mend what an earlier crash tore, start the thread.

        Raises:
            SinkError: the directory cannot be used.
        """
        self._prepare_directory()
        try:
            self._mend_files()
            self._try_todays_files()
        except OSError as error:
            self._lock.release()
            raise SinkError(
                f"{error.filename or self._directory}: {error.strerror}; let the daemon's user "
                f"read and write the files there"
            ) from error
        self.start()

    def open_files(self) -> set[Path]:
        """The files that are open now, not to be touched by others; from any thread."""
        return set(self._writer.open_paths)

    @property
    def lock_fd(self) -> int:
        """The descriptor that holds the lock of the directory, once it is open."""
        return self._lock.fileno()

    def _prepare_directory(self) -> None:
        try:
            self._directory.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
            if not os.access(self._directory, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
            self._lock.acquire()
        except BlockingIOError:
            raise SinkError(
                f"{self._directory} is in use by another logopsd (process "
                f"{self._lock.owner()}); stop that one, or give this one another directory"
            ) from None
        except OSError as error:
            raise SinkError(
                f"{error.filename or self._directory}: {error.strerror}; make {self._directory} a "
                f"directory that the daemon's user may write to, or name another one"
            ) from error

    def _mend_files(self) -> None:
        """Mend every file of ours that the disk lets us.

        A start on a full disk must still succeed: what is appended to later is looked at again
        then, and an old file that is not ours to write harms no one.
        """
        for name in self._names():
            if parse_piece(name) is not None:
                path = self._directory / name
                try:
                    if length := mend_torn_tail(self._files, path):
                        self._observer.torn(path, length)
                except OSError:
                    continue

    def _try_todays_files(self) -> None:
        """A file of today that is not ours to write would stall the sink for the rest of it."""
        today = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d")
        for name in self._names():
            piece = parse_piece(name)
            if piece is not None and piece.day == today:
                try:
                    self._files.close(self._files.open_append(self._directory / name))
                except PermissionError as error:
                    error.filename = self._directory / name
                    raise
                except OSError:
                    continue

    def _names(self) -> list[str]:
        """The files that are ours to look at, in order."""
        names = sorted(self._files.names(self._directory))
        return [name for name in names if not self._suffix or writer_of(name) == self._suffix]


def _with_suffix(spread: _Spread, suffix: str) -> _Spread:
    return lambda batch: [(stem + suffix, data) for stem, data in spread(batch)]
