"""Several sinks as one: every batch goes to each, and a receipt waits for all.

A sink gives its receipts in the order of the batches, so it is enough to count them: what the
slowest sink has given, all have given. Sinks know nothing of each other; one that stalls holds
the receipts back, and through its water marks the senders, and harms no other one's files.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from logopsd.records import Receipt
from logopsd.sinks.contract import Sink, SinkObserver
from logopsd.sinks.thread import give_receipts


class _Child:
    """The observer of one of the sinks: what concerns all is passed on, receipts are counted."""

    def __init__(self, fanout: "FanOutSink", index: int, observer: SinkObserver) -> None:
        self._fanout = fanout
        self._index = index
        self._observer = observer

    def stored(self, receipts: Sequence[Receipt]) -> None:
        self._fanout._advance(self._index, len(receipts))

    def wrote(self, bytes: int, seconds: float) -> None:
        self._observer.wrote(bytes, seconds)

    def stalled(self, reason: str | None) -> None:
        self._fanout._tell_stalled()

    def torn(self, path: Path, bytes: int) -> None:
        self._observer.torn(path, bytes)


class FanOutSink:
    """Hands every batch to several sinks.

    Args:
        makers: each makes one of the sinks, given its observer.
        observer: see SinkObserver; `stored` is called once all sinks have stored.
    """

    def __init__(
        self, makers: Sequence[Callable[[SinkObserver], Sink]], observer: SinkObserver
    ) -> None:
        self._observer = observer
        self._sinks = [make(_Child(self, n, observer)) for n, make in enumerate(makers)]
        self._given = [0] * len(self._sinks)  # receipts of each sink since the start
        self._taken = 0  # receipts given by all
        self._waiting: deque[Receipt] = deque()
        self._telling = threading.Lock()
        self._paused: set[int] = set()
        self._valves: list[tuple[Callable[[], None], Callable[[], None]]] = []
        for index, sink in enumerate(self._sinks):
            sink.register(partial(self._pause, index), partial(self._resume, index))

    def open(self) -> None:
        """Open all; if one cannot be opened those before it are closed again.

        Raises:
            SinkError: see the sinks.
        """
        opened: list[Sink] = []
        try:
            for sink in self._sinks:
                sink.open()
                opened.append(sink)
        except BaseException:
            for sink in opened:
                sink.close(0)
            raise

    def write(self, data: bytes, day: str, receipt: Receipt) -> None:
        """Hand a batch to each sink; never blocks, never refuses."""
        self._waiting.append(receipt)
        part = Receipt(receipt.input, receipt.count)
        for sink in self._sinks:
            sink.write(data, day, part)

    def register(self, pause: Callable[[], None], resume: Callable[[], None]) -> None:
        """Have these called when the first sink pauses and when the last one resumes."""
        self._valves.append((pause, resume))
        if self._paused:
            pause()

    @property
    def paused(self) -> bool:
        """One of the sinks asks to pause."""
        return bool(self._paused)

    @property
    def stalled(self) -> str | None:
        """Why one of the sinks cannot write at present."""
        return next((sink.stalled for sink in self._sinks if sink.stalled), None)

    @property
    def failed(self) -> bool:
        """The thread of one of the sinks has ended by a bug."""
        return any(sink.failed for sink in self._sinks)

    @property
    def unstored_bytes(self) -> int:
        """Bytes whose receipt was not given yet, by the sink that has most of them."""
        return max((sink.unstored_bytes for sink in self._sinks), default=0)

    def unstored(self) -> list[Receipt]:
        """The receipts that were not given yet."""
        return list(self._waiting)

    def open_files(self) -> set[Path]:
        """The files that any of the sinks has open."""
        return {path for sink in self._sinks for path in sink.open_files()}

    def reopen(self) -> None:
        """Have each sink look after its files."""
        for sink in self._sinks:
            sink.reopen()

    def close(self, timeout: float) -> bool:
        """Close one after the other, each with its share of the time; True: all was stored."""
        share = timeout / max(1, len(self._sinks))
        closed = [sink.close(share) for sink in self._sinks]  # each, whatever the others say
        return all(closed)

    def _advance(self, index: int, count: int) -> None:
        self._given[index] += count
        done = [self._waiting.popleft() for _ in range(min(self._given) - self._taken)]
        self._taken += len(done)
        if done:
            give_receipts(self._observer, done)

    def _tell_stalled(self) -> None:
        """One sink changed: tell how all are; one by one, so that the last word is the latest."""
        with self._telling:
            self._observer.stalled(self.stalled)

    def _pause(self, index: int) -> None:
        first = not self._paused
        self._paused.add(index)
        if first:
            for pause, _ in self._valves:
                pause()

    def _resume(self, index: int) -> None:
        self._paused.discard(index)
        if not self._paused:
            for _, resume in self._valves:
                resume()
