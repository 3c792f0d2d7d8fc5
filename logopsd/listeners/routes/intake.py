"""Hands the records of one request down in slices, and tells when all of them are stored."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from logopsd.listeners.http.messages import Response
from logopsd.listeners.routes.answers import Taken, stored
from logopsd.records import Batch, Frames

SLICE_RECORDS = 1000
"""Records handed down at once: about what one read of a stream brings, and some 15 ms of the
event loop. A body of 16 MiB in one piece would hold up every other input for seconds."""

Stored = Callable[[], None]
Failed = Callable[[Exception], None]

Take = Callable[[int, int, Stored, Failed], Batch]
"""Takes the items from one place up to another; one of the callables is called for it, later."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be taken of a body that was read whole.

    Attributes:
        take: hands a slice of its items down.
        count: how many items there are.
        answer: what is answered when all of them are stored.
    """

    take: Take
    count: int
    answer: Callable[[Taken], Response] = stored


class TakeFrames(Protocol):
    """Pipeline.take_frames, bound to the input."""

    def __call__(
        self, frames: Frames, peers: str | None, *, on_stored: Stored, on_failed: Failed
    ) -> Batch:
        """Take lines, a record each."""


class TakeDocuments(Protocol):
    """Pipeline.take_documents, bound to the input."""

    def __call__(
        self,
        documents: Sequence[object],
        peer: str | None,
        *,
        format: str,
        on_stored: Stored,
        on_failed: Failed,
    ) -> Batch:
        """Take structured payloads, a record each."""


def taking(
    take_documents: TakeDocuments, documents: Sequence[object], peer: str | None, format: str
) -> Take:
    """Return what hands slices of documents down."""
    return partial(_take_slice, take_documents, documents, peer, format)


def _take_slice(
    take_documents: TakeDocuments,
    documents: Sequence[object],
    peer: str | None,
    format: str,
    start: int,
    stop: int,
    stored: Stored,
    failed: Failed,
) -> Batch:
    some = documents[start:stop]
    return take_documents(some, peer, format=format, on_stored=stored, on_failed=failed)


class Intake:
    """Takes the items of one request.

    Nothing is left out once the first slice is taken: not if the client leaves, and not if the
    sink fills up meanwhile, as the client could not be told which records it holds.

    Args:
        take: hands a slice down; calls the receipt later, and once.
        count: how many items there are; at least one.
        sample_size: how many records to keep for the answer.
        done: told when all is stored.
        failed: told when a slice could not be taken or stored, which is a bug; what the first
            cannot be taken for is raised.
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
        batch = self._take(start, self._next, self._stored, self._give_up)
        self._taken.add(batch, self._sample_size)
        if self._next < self._count:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if not self._count:
            return
        try:
            self.begin()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if self._count:
            self._count = 0  # no receipt answers now, and nothing more is taken
            self._failed(error)

    def _stored(self) -> None:
        self._unstored -= 1
        if self._unstored == 0 and self._next == self._count:
            self._taken.settle()
            self._done(self._taken)
