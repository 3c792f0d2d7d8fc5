"""One HTTP connection: bytes in, answers out in the order of the requests, and nothing for ever."""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from typing import cast

from logopsd.listeners import sockets
from logopsd.listeners.http.exchange import Exchange
from logopsd.listeners.http.feed import Feed, Outlet
from logopsd.listeners.http.messages import (
    CONNECTION_CLOSE,
    CONNECTION_KEEP_ALIVE,
    CONTINUE,
    NO_CONNECTION_HEADER,
    Request,
    Response,
    error_response,
)
from logopsd.listeners.http.requests import RequestReader, Stage
from logopsd.listeners.http.service import Service
from logopsd.listeners.http.waits import Wait, seconds_for
from logopsd.listeners.reading import ReadingProtocol

SLICE_BYTES = 4 * 1024
"""Read at once between two looks whether the client takes its answers. A read of 256 KiB may hold
7,000 requests, which would all be answered before the first look."""

BODY_SLICE_BYTES = 64 * 1024
"""The same in the midst of a body, behind which fewer requests can follow."""


class HttpConnection(ReadingProtocol):
    """One connection.

    Args:
        service: of the listener.
        on_open: called with the connection; tells whether there is room for it.
        on_close: called with it once it is gone.

    Attributes:
        peer: whose it is, as known before it is made, or else as the socket says.
    """

    def __init__(
        self,
        service: Service,
        *,
        on_open: Callable[["HttpConnection"], bool],
        on_close: Callable[["HttpConnection"], None],
    ) -> None:
        self.peer = ""
        self._service = service
        self._on_open = on_open
        self._on_close = on_close
        self._pending: deque[Exchange] = deque()  # in order, none of them answered on the wire
        self._current: Exchange | None = None  # the one whose body is being read
        self._wait: tuple[Wait, int, int] | None = None  # as last looked at
        self._deadline = math.inf
        self._progress_bytes = 0
        self._times_taken = 0
        self._corked = False
        self._settling_is_due = False
        self._ends_when_answered = False
        self._lingering = False
        self._outlet: Outlet | None = None  # of the last answer, where that goes on
        self._at_eof = False
        self._lost = False
        self._write_paused = False
        self._read_paused = False
        self._ahead = memoryview(b"")  # has arrived, and is read when answers are taken

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or turn the client away where there is no room."""
        self._transport = cast(asyncio.Transport, transport)
        self.peer = self.peer or sockets.peer_of(transport.get_extra_info("peername"))
        self._reader = RequestReader(
            self,
            peer=self.peer,
            max_head_bytes=self._service.limits.max_head_bytes,
            known=self._service.known,
        )
        if self._on_open(self):
            self._settle()
            return
        self._reader.stop()
        self._service.responses[503] += 1
        self._transport.write(_NO_ROOM.encode(CONNECTION_CLOSE))
        self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client; what it sent completely is stored all the same."""
        self._lost = True
        self._reader.stop()
        if self._outlet is not None:
            self._outlet.end()
        for exchange in self._pending:
            exchange.abort()
        self._pending.clear()
        self._on_close(self)

    def data_received(self, data: bytes) -> None:
        """Read requests, and write in one piece what could be answered at once."""
        if self._ahead or len(data) > SLICE_BYTES:
            self._ahead = memoryview(bytes(self._ahead) + data)
            self._read_ahead()
        elif self._read_paused:
            self._ahead = memoryview(data)
        elif self._read(data) and not self._only_waits:
            self._settle()

    def eof_received(self) -> bool:
        """Answer what was asked, though the client will send nothing more."""
        if self._reader.stage in (Stage.HEAD, Stage.BODY):
            self.malformed(error_response(400, "the request ends in the middle", close=True))
        self._reader.stop()
        self._at_eof = self._ends_when_answered = True
        self._settle()
        return bool(self._pending) or self._outlet is not None

    def pause_writing(self) -> None:
        """Read no more requests while the client does not take the answers."""
        self._set_write_paused(True)

    def resume_writing(self) -> None:
        """Go on."""
        self._times_taken += 1
        self._set_write_paused(False)

    # What the reader calls.

    def request_begins(self, request: Request) -> None:
        """Take the head of a request."""
        exchange = self._current = Exchange(self._service, request, self._answered)
        self._pending.append(exchange)
        exchange.begin()
        self._stop_behind(exchange)

    def request_arrives(self, request: Request) -> None:
        """Take a whole request."""
        exchange = Exchange(self._service, request, self._answered)
        self._pending.append(exchange)
        exchange.serve()
        self._stop_behind(exchange)

    def body_arrives(self, data: bytes) -> None:
        """Take a piece of its body."""
        exchange = self._current
        assert exchange is not None
        exchange.receive(data)
        if exchange.discarded_bytes > self._service.limits.max_discarded_bytes:
            self._ends_when_answered = True
            self._reader.stop()
        self._stop_behind(exchange)

    def request_ends(self) -> None:
        """Take its end."""
        exchange = self._current
        assert exchange is not None
        self._current = None
        exchange.end()
        if not exchange.request.keep_alive:
            self._reader.stop()
        self._stop_behind(exchange)

    def malformed(self, response: Response) -> None:
        """Answer what is no request, behind those that were, and read nothing more."""
        self._reader.stop()
        exchange = self._current
        if exchange is None:
            exchange = Exchange(self._service, _NO_REQUEST, self._answered)
            self._pending.append(exchange)
        if exchange.answer is None:
            exchange.refuse(response)
        else:  # it has its answer, and its body broke off
            self._ends_when_answered = True

    # What the listener calls.

    def refresh(self) -> None:
        """See whether reading may go on, as the state of the service has changed."""
        self._settle()

    def drain(self) -> None:
        """Close where nothing is under way, or what is would go on for ever."""
        if self._outlet is not None:
            self._outlet.end()
        elif self._waits_for() is Wait.REQUEST:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, whatever is under way."""
        self._transport.abort()

    def look_at_time(self, now: float) -> None:
        """See whether what is waited for takes too long; to be called each second.

        A wait begins when it is first seen here: setting a time with each request, which mostly
        is over at once, would cost more than being a second late. Bytes alone win no time.

        Args:
            now: seconds, monotonic.
        """
        wait = (self._waits_for(), self._reader.begun, self._times_taken)
        if wait != self._wait:
            self._wait = wait
            self._deadline = now + seconds_for(wait[0], self._service.limits)
            if self._current is not None:
                self._progress_bytes = self._current.wire_bytes
        elif self._deadline <= now:
            self._time_out(wait[0], now)

    # Below: how.

    def _time_out(self, wait: Wait, now: float) -> None:
        if wait is Wait.BODY and self._has_progressed():
            self._deadline = now + self._service.limits.stall_seconds
        elif wait in (Wait.HEAD, Wait.BODY):
            self.malformed(error_response(408, "the request came too slowly", close=True))
            self._settle()
        elif wait is Wait.REQUEST:
            self._transport.close()
        else:
            self._transport.abort()

    def _set_write_paused(self, paused: bool) -> None:
        self._write_paused = paused
        if self._outlet is not None:
            self._outlet.is_ready = not paused
        self._settle()

    def _read_ahead(self) -> None:
        """Read what has arrived, slice by slice, as long as the client takes the answers."""
        while self._ahead and not (self._read_paused or self._is_over):
            size = SLICE_BYTES if self._current is None else BODY_SLICE_BYTES
            piece, self._ahead = self._ahead[:size], self._ahead[size:]
            if not self._read(bytes(piece)):
                return
            self._settle()
        if self._is_over:
            self._ahead = memoryview(b"")

    @property
    def _is_over(self) -> bool:
        """Whether what the client still sends is thrown away."""
        return self._lingering or self._lost or self._outlet is not None

    @property
    def _only_waits(self) -> bool:
        """Whether one request waits for its answer, as is usual, and there is nothing to settle."""
        pending = self._pending
        return len(pending) == 1 and self._current is None and pending[0].answer is None

    def _read(self, piece: bytes) -> bool:
        self._corked = True
        try:
            self._reader.receive_data(piece)
        except Exception as error:  # none is known; one client must not take the others down
            self._service.log.error("http_connection_failed", type=type(error).__name__)
            self._ahead = memoryview(b"")
            self._transport.abort()
            return False
        finally:
            self._corked = False
        return True

    def _answered(self, exchange: Exchange) -> None:
        """Write an answer, or wait a moment for its neighbours to be written in one piece."""
        if self._corked or self._lost:
            return
        if len(self._pending) == 1:
            self._flush()
            self._set_reading()
        elif not self._settling_is_due:
            self._settling_is_due = True
            asyncio.get_running_loop().call_soon(self._settle)

    def _stop_behind(self, exchange: Exchange) -> None:
        if exchange.answer is not None and exchange.answer.close:
            self._reader.stop()

    def _settle(self) -> None:
        """Bring answers and reading in line with what has happened."""
        self._settling_is_due = False
        if self._lost or self._corked:  # reading settles when it is through
            return
        self._flush()
        self._set_reading()

    def _flush(self) -> None:
        """Write every answer whose turn it is."""
        pending = self._pending
        if pending and pending[0].answer is None and not pending[0].awaits_continue:
            return
        out = []
        feed: Feed | None = None
        while pending and (answer := pending[0].answer) is not None:
            exchange = pending.popleft()
            out.append(self._encode(exchange, answer))
            if answer.feed is not None and exchange.request.method != "HEAD":
                feed = answer.feed
        if pending and pending[0].awaits_continue:
            pending[0].awaits_continue = False
            out.append(CONTINUE)
        if out:
            self._transport.write(out[0] if len(out) == 1 else b"".join(out))
        if feed is not None:
            self._begin_feed(feed)
        if self._ends_when_answered and not pending and not self._is_over:
            self._end()

    def _begin_feed(self, feed: Feed) -> None:
        """Go on with the last answer. It has no deadline but that the client takes what it gets."""
        self._reader.stop()
        self._outlet = Outlet(self._transport, feed)
        self._outlet.is_ready = not self._write_paused
        try:
            self._outlet.begin()
        except Exception as error:  # a bug of ours
            self._service.log.error("http_feed_failed", type=type(error).__name__)
            self._transport.abort()

    def _encode(self, exchange: Exchange, answer: Response) -> bytes:
        request = exchange.request
        self._service.responses[answer.status] += 1
        connection = CONNECTION_KEEP_ALIVE if request.http_1_0 else NO_CONNECTION_HEADER
        if self._is_last(exchange, answer):
            connection = CONNECTION_CLOSE
            self._ends_when_answered = True
            self._forget_pending()
        return answer.encode(connection, head_only=request.method == "HEAD")

    def _is_last(self, exchange: Exchange, answer: Response) -> bool:
        if answer.close or not exchange.request.keep_alive:
            return True
        if self._pending:
            return False
        ends = self._ends_when_answered or self._service.draining
        return ends and self._reader.stage is not Stage.HEAD and self._current in (None, exchange)

    def _forget_pending(self) -> None:
        """Leave requests behind the last answer unanswered, as RFC 9112 section 9.6 has it."""
        for exchange in self._pending:
            exchange.abort()
        self._pending.clear()
        self._current = None

    def _end(self) -> None:
        """End the connection so that the client can read the last answer.

        Closing a socket with unread bytes resets it, and a reset can overtake the answer. So
        the end is told first, and what still comes is thrown away for a moment.
        """
        self._reader.stop()
        self._lingering = True
        if self._transport.can_write_eof() and not self._at_eof:
            sockets.end_sending(self._transport)
        else:
            self._transport.close()

    def _set_reading(self) -> None:
        service, current = self._service, self._current
        pause = (
            self._write_paused
            or len(self._pending) > service.limits.max_pipelined
            or (service.paused and current is not None and current.is_streamed)
        ) and self._outlet is None
        if pause == self._read_paused:
            return
        self._read_paused = pause
        if pause:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()
            if self._ahead:  # it runs before anything that is read anew
                asyncio.get_running_loop().call_soon(self._read_ahead)

    def _waits_for(self) -> Wait:
        if self._lingering:
            return Wait.END
        if self._write_paused:
            return Wait.TAKING
        if not self._read_paused:
            if self._reader.stage is Stage.HEAD:
                return Wait.HEAD
            if self._current is not None and not self._current.is_patient:
                return Wait.BODY
        under_way = self._pending or self._current or self._outlet
        return Wait.ANSWER if under_way else Wait.REQUEST

    def _has_progressed(self) -> bool:
        exchange = self._current
        assert exchange is not None
        progress = exchange.wire_bytes - self._progress_bytes
        self._progress_bytes = exchange.wire_bytes
        return progress >= self._service.limits.min_progress_bytes


_NO_REQUEST = Request("", b"", {})
"""Stands in an Exchange for what could not be read as a request."""

_NO_ROOM = error_response(503, "too many connections are open")
