"""Hands the records of one request down in slices, and tells when all of them are stored."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from logopsd.encoding import encode
from logopsd.records import Batch

SLICE_RECORDS = 1000
"""Records handed down at once: about what one read of a stream brings, and some 15 ms of the
event loop. A body of 16 MiB in one piece would hold up every other input for seconds."""

Take = Callable[[int, int, Callable[[], None]], Batch]
"""Takes the items from one place up to another; the callable is for the receipt."""


@dataclass(slots=True)
class Taken:
    """What was taken of a request.

    Attributes:
        ts: time of arrival of the first of it.
        accepted: records.
        missing_ts: records that brought no readable time.
        missing_level: records that brought no level.
        sample: the first of them, masked, each as JSON.
    """

    ts: str = ""
    accepted: int = 0
    missing_ts: int = 0
    missing_level: int = 0
    sample: list[bytes] = field(default_factory=list)


class Intake:
    """Takes the items of one request.

    Nothing is left out once the first slice is taken: not if the client leaves, and not if the
    sink fills up meanwhile, as the client could not be told which records it holds.

    Args:
        take: hands a slice down; calls the receipt later, and once.
        count: how many items there are; at least one.
        sample_size: how many records to keep for the answer.
        done: told when all is stored.
        failed: told when a slice behind the first could not be taken, which is a bug.
    """

    def __init__(
        self,
        take: Take,
        count: int,
        *,
        sample_size: int,
        done: Callable[[Taken], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._take = take
        self._count = count
        self._sample_size = sample_size
        self._done = done
        self._failed = failed
        self._next = 0
        self._unstored = 0
        self._taken = Taken()

    def begin(self) -> None:
        """Take the first slice now, and each other when the loop has seen to its sockets."""
        start = self._next
        self._next = min(start + SLICE_RECORDS, self._count)
        self._unstored += 1
        self._add(self._take(start, self._next, self._stored))
        if self._next < self._count:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        try:
            self.begin()
        except Exception as error:
            self._count = 0  # no receipt answers now
            self._failed(error)

    def _add(self, batch: Batch) -> None:
        taken = self._taken
        taken.ts = taken.ts or batch.received
        taken.accepted += len(batch.records)
        taken.missing_ts += batch.missing_ts
        taken.missing_level += batch.missing_level
        wanted = self._sample_size - len(taken.sample)
        if wanted > 0:
            taken.sample += encode(batch.records[:wanted]).splitlines()

    def _stored(self) -> None:
        self._unstored -= 1
        if self._unstored == 0 and self._next == self._count:
            self._done(self._taken)
