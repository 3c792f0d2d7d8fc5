"""The thread of a sink: group commit, back-pressure, stalls, and the receipts back to the loop.

The event loop hands batches down with `write`, which only appends to a list. The thread takes all
that is pending at once, gives it to its backend to be written, and hands the receipts back up
with one call a round. Whatever the backend's errors, the thread goes on trying and skips nothing.
"""

import errno
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from logopsd.records import Receipt
from logopsd.sinks.contract import Backend, Batch, SinkObserver

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


SLOW_SECONDS = 5.0
"""A call into the disk that takes longer counts as a stall, though it may still return: an
operator wants to know of a disk that hangs, and it raises no error."""


class ThreadedSink:
    """A sink whose writing is done by a thread.

    Args:
        backend: what writes; from `start` on it belongs to the thread.
        deliver: runs a callable in the event loop (`loop.call_soon_threadsafe`).
        observer: see SinkObserver.
        high_water: bytes pending above which everyone registered is asked to pause.
        low_water: bytes pending below which they are asked to resume.
        retry_seconds: the first and the last wait of a stalled sink.
        clock: seconds, monotonic.
        spread: which part of a batch goes to which stem; all of it to its day, if not given.
        defer: runs a callable in the event loop at its next turn (`loop.call_soon`), so that the
            thread is woken once for all that a turn brings. A thread that works in the midst of
            a turn contends for the interpreter at every system call of the loop. If not given,
            it is woken by every batch.
    """

    def __init__(
        self,
        *,
        backend: Backend,
        deliver: Callable[[Callable[[], None]], object],
        observer: SinkObserver,
        high_water: int = HIGH_WATER,
        low_water: int = LOW_WATER,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        spread: Callable[[Batch], Iterable[tuple[str, bytes]]] | None = None,
        defer: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._backend = backend
        self._deliver = deliver
        self._observer = observer
        self._high, self._low = high_water, low_water
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._spread = spread or by_day
        self._defer = defer or _at_once
        self._thread: threading.Thread | None = None
        # Shared between the loop and the thread, changed under the condition.
        self._wake = threading.Condition()
        self._gathered: list[Batch] = []  # not handed over yet
        self._pending: list[Batch] = []
        self._round: list[Batch] = []  # taken by the thread, without receipts yet
        self._unstored_bytes = 0  # of all three
        self._waiting = False  # the thread waits for something to do
        self._reopen = False
        self._give_up_at: float | None = None  # set by close: when its patience ends
        self._stalled: str | None = None
        self._busy_since: float | None = None  # the thread is in a call of the backend
        self._all_stored = True
        self._failed = False
        # Of the event loop alone.
        self._paused = False
        self._valves: list[tuple[Callable[[], None], Callable[[], None]]] = []

    def start(self) -> None:
        """Start the thread."""
        self._all_stored = False
        self._thread = threading.Thread(target=self._run, name="sink", daemon=True)
        self._thread.start()

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Take a batch of whole lines, of the day `YYYYMMDD`; never blocks, never refuses."""
        with self._wake:
            first = not self._gathered
            self._gathered.append(Batch(data, day, receipt))
            self._unstored_bytes += len(data)
        if first:
            self._defer(self._hand_over)
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
        since = self._busy_since
        if self._stalled is None and since is not None:
            seconds = self._clock() - since
            if seconds > SLOW_SECONDS:
                return f"slow: no answer from the disk for {seconds:.0f} s"
        return self._stalled

    @property
    def failed(self) -> bool:
        """The thread has ended by a bug: nothing is stored any more."""
        return self._failed

    @property
    def unstored_bytes(self) -> int:
        """Bytes handed to `write` whose receipt was not given yet."""
        return self._unstored_bytes

    def unstored(self) -> list[Receipt]:
        """The receipts that were not given yet; after `close`, of what was not stored."""
        with self._wake:
            batches = (*self._round, *self._pending, *self._gathered)
            return [batch.receipt for batch in batches]

    def open_files(self) -> set[Path]:
        """The files that are open now, not to be touched by others; from any thread."""
        return set()

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
            self._hand_over()
            with self._wake:
                self._give_up_at = self._clock() + timeout
                self._waiting = False
                self._wake.notify()
            self._thread.join(timeout + _GRACE_SECONDS)
        return self._all_stored

    def _hand_over(self) -> None:
        """Give the thread what was gathered, and wake it."""
        with self._wake:
            self._pending += self._gathered
            self._gathered = []
            if self._waiting:
                self._waiting = False
                self._wake.notify()

    def _complete(self, receipts: list[Receipt]) -> None:
        """Hand the receipts of one round to their owners, and open the valves; in the loop."""
        try:
            give_receipts(self._observer, receipts)
        finally:
            if self._paused and self._unstored_bytes <= self._low:
                self._paused = False
                for _, resume in self._valves:
                    resume()

    # Of the thread

    def _run(self) -> None:
        """The thread. An error of its own surfaces in the loop, whose handler ends the daemon."""
        try:
            self._serve()
        except Exception as error:
            self._stalled = f"internal error: {type(error).__name__}"
            self._failed = True
            self._hand_to_loop(partial(_raise, error))
        finally:
            self._backend.abandon()

    def _serve(self) -> None:
        ending = False
        while not ending:
            ending = self._take()
            started = self._clock()
            if not self._until_done(self._backend.write):
                return
            self._hand_up(started)
            if not self._until_done(self._backend.tend):
                return
        self._all_stored = self._until_done(self._backend.close)

    def _take(self) -> bool:
        """Wait until something is due and take all that is pending; True: there is no more."""
        with self._wake:
            if not self._pending and self._give_up_at is None:
                timeout = self._backend.seconds_until_due()
                if not self._reopen and (timeout is None or timeout > 0):
                    self._waiting = True
                    self._wake.wait(timeout)
                    self._waiting = False
            self._round, self._pending = self._pending, []
            if self._reopen:
                self._reopen = False
                self._backend.check_now()
            ending = self._give_up_at is not None and not self._round
        for batch in self._round:
            for stem, data in self._spread(batch) if batch.data else ():
                self._backend.add(stem, data)
        return ending

    def _until_done(self, step: Callable[[], None]) -> bool:
        """Repeat a step until it succeeds; False where close lost its patience meanwhile."""
        seconds, last = self._retry_seconds
        while True:
            self._busy_since = self._clock()
            try:
                step()
            except OSError as error:
                self._busy_since = None
                self._note_stall(_reason(error))
            else:
                self._busy_since = None
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


def give_receipts(observer: SinkObserver, receipts: Sequence[Receipt]) -> None:
    """Tell the observer and then each owner that these are stored; in the event loop.

    An owner that raises does not cost the others their receipts; the first error is raised
    again once all have been told.
    """
    observer.stored(receipts)
    failure: Exception | None = None
    for receipt in receipts:
        if receipt.on_stored is not None:
            try:
                receipt.on_stored()
            except Exception as error:
                failure = failure or error
    if failure is not None:
        raise failure


def _at_once(callback: Callable[[], None]) -> None:
    callback()


def by_day(batch: Batch) -> tuple[tuple[str, bytes]]:
    """All of a batch goes to the stem of its day."""
    return ((batch.day, batch.data),)


def _raise(error: Exception) -> None:
    raise error


def _reason(error: OSError) -> str:
    """What is wrong with the disk, as an operator reads it."""
    code = errno.errorcode.get(error.errno or 0, "error")
    return f"{code}: {error.strerror or type(error).__name__}"
