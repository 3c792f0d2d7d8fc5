"""The daily NDJSON files: one writer thread, group commit, and the receipt back to the loop.

The event loop hands batches down with `write`, which only appends to a list. The thread takes all
that is pending at once, appends it to the files, fsyncs by policy, and hands the receipts back up
with one call a round. Whatever the disk does, the thread goes on trying and skips nothing.
"""

import errno
import os
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from logopsd.errors import SinkError
from logopsd.records import Receipt
from logopsd.sinks.files import DIRECTORY_MODE, DirectoryLock, FileLayer, OsFiles
from logopsd.sinks.rotation import parse_piece
from logopsd.sinks.torn import mend_torn_tail
from logopsd.sinks.writer import Fsync, Writer

HIGH_WATER = 64 * 1024 * 1024
"""Bytes pending above which everyone is asked to pause: what a disk takes in a second or less,
and little enough for the memory of a small machine."""

LOW_WATER = 32 * 1024 * 1024
"""Bytes pending below which everyone is asked to resume; far enough from HIGH_WATER not to
flutter."""

RETRY_SECONDS = (0.1, 5.0)
"""How long a stalled sink waits before it tries again, doubled from the first to the last: a
moment's trouble is over in a moment, and a long one costs nothing."""

_GRACE_SECONDS = 0.25
"""How much longer than its patience `close` waits for the thread to come to its end."""


class SinkObserver(Protocol):
    """Who is told what the sink does. All but `stored` is called in the writer thread."""

    def stored(self, receipts: Sequence[Receipt]) -> None:
        """The batches of these receipts are stored; in the event loop, before each on_stored."""

    def wrote(self, bytes: int, seconds: float) -> None:
        """One round: how many bytes were stored, and how long it took until the receipts."""

    def stalled(self, reason: str | None) -> None:
        """The sink cannot write, for this reason; None: it writes again."""

    def torn(self, path: Path, bytes: int) -> None:
        """A torn last line of this length was set aside into `<path>.torn`.

        Called in `open` (by its caller's thread) or in the writer thread.
        """


class _Batch(NamedTuple):
    data: bytes
    day: str
    receipt: Receipt


class NdjsonSink:
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
        retry_seconds: the first and the last wait of a stalled sink.
        files: the operations on files.
        clock: seconds, monotonic.
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
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
        files: FileLayer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._directory = directory
        self._deliver = deliver
        self._observer = observer
        self._high, self._low = high_water, low_water
        self._retry_seconds = retry_seconds
        self._files = files or OsFiles()
        self._clock = clock
        self._lock = DirectoryLock(directory)
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
        self._thread: threading.Thread | None = None
        # Shared between the loop and the thread, changed under the condition.
        self._wake = threading.Condition()
        self._pending: list[_Batch] = []
        self._round: list[_Batch] = []  # taken by the thread, without receipts yet
        self._unstored_bytes = 0  # of both
        self._waiting = False  # the thread waits for something to do
        self._reopen = False
        self._give_up_at: float | None = None  # set by close: when its patience ends
        self._stalled: str | None = None
        self._all_stored = True
        # Of the event loop alone.
        self._paused = False
        self._valves: list[tuple[Callable[[], None], Callable[[], None]]] = []

    def open(self) -> None:
        """Make and lock the directory, mend what an earlier crash tore, start the thread.

        Raises:
            SinkError: the directory cannot be used.
        """
        self._prepare_directory()
        try:
            self._mend_files()
        except OSError as error:
            self._lock.release()
            raise SinkError(
                f"{error.filename or self._directory}: {error.strerror}; let the daemon's user "
                f"read and write the files there"
            ) from error
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._all_stored = False
        self._thread.start()

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Take a batch of whole lines, of the day `YYYYMMDD`; never blocks, never refuses."""
        with self._wake:
            self._pending.append(_Batch(data, day, receipt))
            self._unstored_bytes += len(data)
            if self._waiting:
                self._waiting = False
                self._wake.notify()
        if self._unstored_bytes > self._high and not self._paused:
            self._paused = True
            for pause, _ in self._valves:
                pause()

    def register(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Have these called in the event loop above the high and below the low water mark."""
        self._valves.append((pause, resume))
        if self._paused:
            pause()

    @property
    def paused(self) -> bool:
        """Everyone registered has been asked to pause, and not yet to resume."""
        return self._paused

    @property
    def stalled(self) -> str | None:
        """Why nothing can be written at present; None while all is well."""
        return self._stalled

    @property
    def unstored_bytes(self) -> int:
        """Bytes handed to `write` whose receipt was not given yet."""
        return self._unstored_bytes

    def unstored(self) -> list[Receipt]:
        """The receipts that were not given yet; after `close`, of what was not stored."""
        with self._wake:
            return [batch.receipt for batch in (*self._round, *self._pending)]

    def open_files(self) -> set[Path]:
        """The files that are open now, not to be touched by others; from any thread."""
        return set(self._writer.open_paths)

    def reopen(self) -> None:
        """Look at once whether files were moved or removed, and open them anew; any thread."""
        with self._wake:
            self._reopen = True
            self._waiting = False
            self._wake.notify()

    def close(self, timeout: float) -> bool:
        """Write and fsync what is pending, and stop; blocks for about `timeout` seconds at most.

        Returns:
            Whether all was stored. If not, `unstored` has the receipts of the rest.
        """
        if self._thread is not None:
            with self._wake:
                self._give_up_at = self._clock() + timeout
                self._waiting = False
                self._wake.notify()
            self._thread.join(timeout + _GRACE_SECONDS)
        return self._all_stored

    def _complete(self, receipts: list[Receipt]) -> None:
        """Hand the receipts of one round to their owners, and open the valves; in the loop."""
        self._observer.stored(receipts)
        failure: Exception | None = None
        for receipt in receipts:
            if receipt.on_stored is not None:
                try:
                    receipt.on_stored()
                except Exception as error:  # one bad owner must not cost the others' receipts
                    failure = failure or error
        if self._paused and self._unstored_bytes <= self._low:
            self._paused = False
            for _, resume in self._valves:
                resume()
        if failure is not None:
            raise failure

    # At start

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
                f"{self._directory}: {error.strerror}; make it a directory that the daemon's "
                f"user may write to, or name another one"
            ) from error

    def _mend_files(self) -> None:
        """Mend every file of ours.

        Where the disk does not let us, a start on a full disk must still succeed: what is
        appended to later is looked at again then. Only a file that is not ours to write, which
        would stall the sink for good, is an error here.
        """
        for name in sorted(self._files.names(self._directory)):
            if parse_piece(name) is None:
                continue
            path = self._directory / name
            try:
                if length := mend_torn_tail(self._files, path):
                    self._observer.torn(path, length)
            except PermissionError:
                raise
            except OSError:
                continue

    # Of the thread

    def _run(self) -> None:
        """The thread. An error of its own surfaces in the loop, whose handler ends the daemon."""
        try:
            self._serve()
        except Exception as error:
            self._stalled = f"internal error: {type(error).__name__}"
            self._hand_to_loop(partial(_raise, error))
        finally:
            self._writer.abandon()
            self._lock.release()

    def _serve(self) -> None:
        ending = False
        while not ending:
            ending = self._take()
            started = self._clock()
            if not self._until_done(self._writer.write):
                return
            self._hand_up(started)
            if not self._until_done(self._writer.tend):
                return
        self._all_stored = self._until_done(self._writer.close)

    def _take(self) -> bool:
        """Wait until something is due and take all that is pending; True: there is no more."""
        with self._wake:
            if not self._pending and self._give_up_at is None:
                timeout = self._writer.seconds_until_due()
                if not self._reopen and (timeout is None or timeout > 0):
                    self._waiting = True
                    self._wake.wait(timeout)
                    self._waiting = False
            self._round, self._pending = self._pending, []
            if self._reopen:
                self._reopen = False
                self._writer.check_now()
            ending = self._give_up_at is not None and not self._round
        for data, day, _ in self._round:
            if data:
                self._writer.add(day, data)
        return ending

    def _until_done(self, step: Callable[[], None]) -> bool:
        """Repeat a step until it succeeds; False where close lost its patience meanwhile."""
        seconds, last = self._retry_seconds
        while True:
            try:
                step()
            except OSError as error:
                self._note_stall(_reason(error))
            else:
                self._note_stall(None)
                return True
            with self._wake:
                if self._give_up_at is not None:
                    left = self._give_up_at - self._clock()
                    if left <= 0:
                        return False
                    seconds = min(left, self._retry_seconds[0])
                self._wake.wait(seconds)
            seconds = min(2 * seconds, last)

    def _note_stall(self, reason: str | None) -> None:
        if reason != self._stalled:
            self._stalled = reason
            self._observer.stalled(reason)

    def _hand_up(self, started: float) -> None:
        """The round is stored: its bytes are no burden any more, its receipts go to the loop."""
        with self._wake:
            done, self._round = self._round, []
            size = sum(len(batch.data) for batch in done)
            self._unstored_bytes -= size
        if done:
            self._observer.wrote(size, self._clock() - started)
            self._hand_to_loop(partial(self._complete, [batch.receipt for batch in done]))

    def _hand_to_loop(self, callback: Callable[[], None]) -> None:
        try:
            self._deliver(callback)
        except RuntimeError:  # the loop is closed: nobody is left who could be told
            pass


def _raise(error: Exception) -> None:
    raise error


def _reason(error: OSError) -> str:
    """What is wrong with the disk, as an operator reads it."""
    code = errno.errorcode.get(error.errno or 0, "error")
    return f"{code}: {error.strerror or type(error).__name__}"
