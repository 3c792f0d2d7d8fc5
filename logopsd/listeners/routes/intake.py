"""Hands the records of one request down in slices, and tells when all of them are stored."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.listeners.http.messages import Respond, Response, error_response
from logopsd.listeners.routes.answers import Taken, stored
from logopsd.records import Batch, Frames

SLICE_RECORDS = 1000
"""Records handed down at once: about what one read of a stream brings, and some 15 ms of the
event loop. A body of 16 MiB in one piece would hold up every other input for seconds."""

Stored = Callable[[], None]
Failed = Callable[[Exception], None]

Take = Callable[[int, int, Stored, Failed], Batch]
"""Takes the items from one place up to another; one of the callables is called for it, later."""


class Plan(msgspec.Struct, frozen=True):
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


class Intake(msgspec.Struct, eq=False):
    """Takes the items of one request; a struct, as Exchange is.

    Nothing is left out once the first slice is taken: not if the client leaves, and not if the
    sink fills up meanwhile, as the client could not be told which records it holds.

    Args:
        plan: what is to be taken; at least one item.
        respond: is called once, when all is stored, or when a slice could not be taken or stored,
            which is a bug; what the first cannot be taken for is raised.
        log: told of it, at debug: how many records, and what they lacked.
        sample_size: how many records to keep for the answer.
    """

    _plan: Plan
    _respond: Respond | None
    _log: FilteringBoundLogger
    _sample_size: int = 0
    _next: int = 0
    _unstored: list[Batch | None] = []
    _taken: Taken = msgspec.field(default_factory=Taken)

    def begin(self) -> None:
        """Take the first slice now, and each other when the loop has seen to its sockets."""
        plan, start = self._plan, self._next
        self._next = min(start + SLICE_RECORDS, plan.count)
        batch = plan.take(start, self._next, self._stored, self._give_up)
        self._unstored.append(self._taken.take(batch, self._sample_size))
        if self._next < plan.count:
            asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        if self._respond is None:
            return
        try:
            self.begin()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        """Answer, unless it was done; nothing more is taken, and no receipt answers now."""
        respond, self._respond = self._respond, None
        if respond is not None:
            self._log.error("ingest_failed", input="http", type=type(error).__name__)
            respond(error_response(500, "not all of the body could be processed"))

    def _stored(self) -> None:
        taken = self._taken
        batch = self._unstored.pop(0)
        if batch is not None:
            taken.add(batch, self._sample_size)
        if self._unstored or self._next < self._plan.count or self._respond is None:
            return
        if self._log.is_enabled_for(logging.DEBUG):
            self._log.debug("ingest", input="http", **taken.figures())
        self._respond(self._plan.answer(taken))
