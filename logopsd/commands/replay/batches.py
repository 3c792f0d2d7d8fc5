"""Lines in batches, and no faster than wanted."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Final

MAX_BYTES: Final = 512 * 1024
"""Of a batch: some milliseconds of a receiver's work, and what is sent again after a failure."""

MAX_LINES: Final = 2000
"""Of a batch."""

PER_SECOND: Final = 10
"""Batches a second at least, where a rate is set: it is even, and one can see it move."""


def batches(lines: Iterable[bytes], *, rate: float | None = None) -> Iterator[list[bytes]]:
    """Put lines together, in order.

    Args:
        lines: with their line feeds.
        rate: lines a second that are wanted; None for no limit.
    """
    most = MAX_LINES if rate is None else max(1, min(MAX_LINES, int(rate / PER_SECOND)))
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) >= most or size + len(line) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


class Pace:
    """Holds up who would be faster than so many a second.

    What was missed while a receiver took long is not caught up with: the rate is the most there
    may be at any time.

    Args:
        rate: lines a second; None for no limit.
        clock: seconds, of a clock that never steps.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._rate = rate
        self._clock = clock
        self._sleep = sleep
        self._next = clock()

    def wait(self, count: int) -> None:
        """Wait until so many more lines may go."""
        if self._rate is None:
            return
        now = self._clock()
        if self._next > now:
            self._sleep(self._next - now)
            now = self._next
        self._next = now + count / self._rate


def growing(first: float, most: float) -> Iterator[float]:
    """Pauses between attempts, seconds: each twice the one before, up to `most`."""
    return (min(first * 2**number, most) for number in itertools.count())
