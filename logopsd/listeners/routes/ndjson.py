"""NDJSON on /v1/logs: taken as it comes; a bad line is told, and the others are stored."""

import asyncio
import codecs
from collections import deque
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from logopsd.figures.metrics import InputMetrics
from logopsd.listeners.http.messages import Request, Respond, error_response
from logopsd.listeners.http.refusals import coding_of
from logopsd.listeners.routes.answers import Rejected, Taken, partly_stored, stored
from logopsd.listeners.routes.content_types import UTF_8, content_type_of
from logopsd.listeners.routes.intake import TakeDocuments
from logopsd.parsing.ndjson import Documents, NdjsonReader
from logopsd.records import Batch

NDJSON_TYPES = ("application/x-ndjson", "application/ndjson", "application/jsonl")


class NdjsonRoute:
    """Takes bodies of NDJSON.

    Args:
        take_documents: takes what the lines hold.
        metrics: the figures of the input; counts here the lines that were rejected.
        log: told of each request at debug.
        max_inflated_bytes: the most that a compressed body may inflate to; one that is not
            compressed has no limit, as it takes no more memory than one read of it.
        sample_size: how many of the records, masked, are shown in the answer.
        timestamp: now, for the answer to a body without records.
    """

    def __init__(
        self,
        *,
        take_documents: TakeDocuments,
        metrics: InputMetrics,
        log: FilteringBoundLogger,
        max_inflated_bytes: int,
        sample_size: int,
        timestamp: Callable[[], str],
    ) -> None:
        self.take_documents = take_documents
        self.metrics = metrics
        self.log = log
        self.max_inflated_bytes = max_inflated_bytes
        self.sample_size = sample_size
        self.timestamp = timestamp

    def begin(self, request: Request, respond: Respond) -> "NdjsonUpload":
        """Return who takes the body of a request."""
        return NdjsonUpload(self, request, respond)


class NdjsonUpload:
    """The body of one request, as it comes."""

    def __init__(self, route: NdjsonRoute, request: Request, respond: Respond) -> None:
        self._route = route
        self._peer = request.peer
        self._respond = respond
        self._recode = _recoder(content_type_of(request)[1])
        self._reader = NdjsonReader()
        self._taken = Taken()
        self._rejected = Rejected()
        self._unstored: deque[Batch | None] = deque()
        self._is_over = False  # all of the body has come
        self._is_read = False  # and all of it was taken
        self._is_too_long = False
        self._is_aborted = False
        # One read of a socket may inflate to a thousand times as much: that is taken a piece at
        # a time, so that the loop sees to its sockets in between.
        self._is_inflated = coding_of(request) is not None
        self._size = 0
        self._pieces: deque[bytes] = deque()
        self._going_on: asyncio.Handle | None = None

    @property
    def held_bytes(self) -> int:
        """The line under way, and what was inflated and not taken yet."""
        return self._reader.held_bytes + sum(map(len, self._pieces))

    def data(self, data: bytes) -> None:
        """Take the next piece."""
        if not self._is_inflated:
            self._take(self._reader.receive_data(self._recode(data)))
            return
        self._size += len(data)
        if self._size > self._route.max_inflated_bytes:
            self._is_too_long = True
        if self._is_too_long:
            return
        self._pieces.append(data)
        self._go_on_soon()

    def end(self) -> None:
        """Answer when all is stored."""
        self._is_over = True
        if not self._pieces:
            self._finish()

    def abort(self) -> None:
        """Forget what was not taken yet; what was is stored, and nobody is told."""
        self._is_aborted = True
        self._pieces.clear()

    def _go_on_soon(self) -> None:
        if self._going_on is None:
            self._going_on = asyncio.get_running_loop().call_soon(self._go_on)

    def _go_on(self) -> None:
        self._going_on = None
        if self._is_aborted:
            return
        try:
            self._take(self._reader.receive_data(self._recode(self._pieces.popleft())))
            if self._pieces:
                self._go_on_soon()
            elif self._is_over:
                self._finish()
        except Exception as error:
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        if not self._is_aborted:
            self.abort()
            self._route.log.error("ingest_failed", input="http", type=type(error).__name__)
            self._respond(error_response(500, "not all of the body could be processed"))

    def _finish(self) -> None:
        if not self._is_too_long:
            self._take(self._reader.receive_data(self._recode(b"", final=True)))
            self._take(self._reader.receive_eof())
        self._is_read = True
        self._answer_if_stored()

    def _take(self, found: Documents) -> None:
        route = self._route
        if found.rejected:
            self._rejected.add(found.rejected)
            route.metrics.received += len(found.rejected)
            route.metrics.drop("rejected", len(found.rejected))
        if found.documents:
            batch = route.take_documents(
                found.documents,
                self._peer,
                format="json",
                on_stored=self._stored,
                on_failed=self._failed,
            )
            self._unstored.append(self._taken.take(batch, route.sample_size))

    def _stored(self) -> None:
        batch = self._unstored.popleft()
        if batch is not None:
            self._taken.add(batch, self._route.sample_size)
        self._answer_if_stored()

    def _answer_if_stored(self) -> None:
        if self._unstored or not self._is_read or self._is_aborted:
            return
        taken, rejected = self._taken, self._rejected
        self._route.log.debug("ingest", input="http", **taken.figures(), rejected=rejected.count)
        if self._is_too_long:
            limit = self._route.max_inflated_bytes
            detail = f"the body inflates to more than {limit} bytes; what came before is stored"
            self._respond(partly_stored(413, detail, taken, rejected))
            return
        taken.ts = taken.ts or self._route.timestamp()
        self._respond(stored(taken, rejected))


def _recoder(charset: str) -> Callable[..., bytes]:
    """Return what turns the pieces of a body into UTF-8."""
    if charset in UTF_8:
        return _unchanged
    decode = codecs.getincrementaldecoder(charset)("replace").decode

    def recode(data: bytes, final: bool = False) -> bytes:
        return decode(data, final).encode()

    return recode


def _unchanged(data: bytes, final: bool = False) -> bytes:
    return data
