"""Standard output as a sink, for containers and pipes."""

import errno
import os
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Protocol

from logopsd.errors import SinkError
from logopsd.sinks.contract import SinkObserver
from logopsd.sinks.thread import HIGH_WATER, LOW_WATER, RETRY_SECONDS, ThreadedSink

STDOUT = 1
"""The descriptor, whatever Python's own `sys.stdout` is."""

_WRITE_BYTES = select.PIPE_BUF
"""Written with one call: what a pipe that is ready takes without blocking (POSIX, poll)."""

_READY_SECONDS = 1.0
"""How long a reader that takes nothing is waited for before the sink counts as stalled."""


class Stream(Protocol):
    """What is asked of the operating system; each raises OSError as the system does."""

    def write(self, fd: int, data: memoryview) -> int:
        """Write; return how many bytes were taken. BlockingIOError where none could be."""

    def wait(self, fd: int, seconds: float) -> bool:
        """Wait until something can be written; False after `seconds`."""


class OsStream:
    """The real thing."""

    def write(self, fd: int, data: memoryview) -> int:
        """See Stream."""
        return os.write(fd, data)

    def wait(self, fd: int, seconds: float) -> bool:
        """See Stream."""
        poll = select.poll()
        poll.register(fd, select.POLLOUT)
        return bool(poll.poll(seconds * 1000))


class StreamWriter:
    """Writes whole lines to a descriptor; the backend of StdoutSink.

    A stored receipt means that the reader's side of the pipe has the bytes; nothing can be
    fsynced here. Batches are kept whole and in order, whatever part of one was taken.
    """

    def __init__(self, fd: int, stream: Stream) -> None:
        self._fd = fd
        self._stream = stream
        self._queue: deque[bytes] = deque()
        self._done = 0  # bytes of the first batch that were taken

    def add(self, stem: str, data: bytes) -> None:
        """Queue whole lines; on a stream all stems are one."""
        self._queue.append(data)

    def write(self) -> None:
        """Write all that is queued."""
        while self._queue:
            rest = memoryview(self._queue[0])[self._done : self._done + _WRITE_BYTES]
            # Asked first: a write to a pipe that is full would block beyond the end of close.
            if not self._stream.wait(self._fd, _READY_SECONDS):
                raise OSError(errno.EAGAIN, "the reader takes nothing")
            self._done += self._stream.write(self._fd, rest)
            if self._done == len(self._queue[0]):
                self._queue.popleft()
                self._done = 0

    def tend(self) -> None:
        """Nothing is ever due."""

    def seconds_until_due(self) -> float | None:
        """Nothing is ever due."""
        return None

    def check_now(self) -> None:
        """A stream cannot be opened anew."""

    def close(self) -> None:
        """Write what is queued; the descriptor stays open, as it is not ours."""
        self.write()

    def abandon(self) -> None:
        """The descriptor stays open."""


class StdoutSink(ThreadedSink):
    """Writes batches of whole lines to standard output.

    A reader that goes away (EPIPE) stalls the sink for good: its receipts are never given, and
    those who can be told are told; a daemon that threw the records away would not tell anyone.

    Args:
        deliver: runs a callable in the event loop (`loop.call_soon_threadsafe`).
        observer: see SinkObserver.
        high_water: bytes pending above which everyone registered is asked to pause.
        low_water: bytes pending below which they are asked to resume.
        retry_seconds: the first and the last wait of a stalled sink.
        fd: the descriptor.
        stream: the operations on it.
        clock: seconds, monotonic.
        defer: see ThreadedSink.
    """

    def __init__(
        self,
        *,
        deliver: Callable[[Callable[[], None]], object],
        observer: SinkObserver,
        high_water: int = HIGH_WATER,
        low_water: int = LOW_WATER,
        retry_seconds: tuple[float, float] = RETRY_SECONDS,
        fd: int = STDOUT,
        stream: Stream | None = None,
        clock: Callable[[], float] = time.monotonic,
        defer: Callable[[Callable[[], None]], object] | None = None,
    ) -> None:
        self._fd = fd
        super().__init__(
            backend=StreamWriter(fd, stream or OsStream()),
            deliver=deliver,
            observer=observer,
            high_water=high_water,
            low_water=low_water,
            retry_seconds=retry_seconds,
            clock=clock,
            defer=defer,
        )

    def open(self) -> None:
        """Start the thread.

        Raises:
            SinkError: standard output is closed.
        """
        try:
            os.fstat(self._fd)
        except OSError as error:
            raise SinkError(
                "standard output is closed; give the daemon one, or turn this sink off"
            ) from error
        self.start()
