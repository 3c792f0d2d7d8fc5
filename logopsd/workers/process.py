"""One worker as the supervisor sees it: started, heard, watched over, ended."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from logopsd.figures.tally import Snapshot
from logopsd.workers import messages
from logopsd.workers.messages import Alive, Ask, Figures, FromWorker, Hello, Last, Ready, ToWorker

START_SECONDS: Final = 60.0
"""For a worker to say that it is ready: the import of it all on a cold, busy disk."""

EXIT_SECONDS: Final = 5.0
"""From the end of the channel to that of the process."""

MAX_ASKED: Final = 8
"""Questions that may wait for an answer; a worker that hangs gets no more."""

_NOT_PASSED: Final = ("LOGOPS_", "NOTIFY_", "WATCHDOG_", "LISTEN_")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended.

    Attributes:
        status: its exit status; below 0 the signal that ended it.
        lived: seconds since its start.
        was_ready: whether it had said so.
        in_order: whether it told its last figures, of which nothing is in flight.
    """

    status: int
    lived: float
    was_ready: bool
    in_order: bool

    @property
    def text(self) -> str:
        """The status in words."""
        if self.status >= 0:
            return f"exit status {self.status}"
        try:
            return signal.Signals(-self.status).name
        except ValueError:  # a real-time signal
            return f"signal {-self.status}"


class Worker:
    """The place of one worker, whichever process fills it at present.

    Args:
        number: from 1.
        hello: gives what to greet it with, and the descriptors that go along.
        watchdog: seconds within which it must say that it is alive.
        log: told when it hangs.
        on_ready: called when it says that it is ready.

    Attributes:
        number: as given.
        snapshot: the last figures of the process.
        not_ready: why it should be sent nothing; None where it may.
        open_files: paths that it had open when it was last asked.
        sources: its table of senders, when it was last asked for that.
        seen: what it has taken of journals, from the last one that ended in order.
        is_ready: whether it receives.
    """

    def __init__(
        self,
        number: int,
        *,
        hello: Callable[[int], tuple[Hello, Sequence[int]]],
        watchdog: float,
        log: FilteringBoundLogger,
        on_ready: Callable[["Worker"], None],
    ) -> None:
        self.number = number
        self.snapshot = Snapshot()
        self.not_ready: str | None = None
        self.open_files: frozenset[Path] = frozenset()
        self.sources: Mapping[str, object] | None = None
        self.seen: dict[str, list[list[int]]] | None = None
        self.is_ready = False
        self._hello = hello
        self._watchdog = watchdog
        self._log = log
        self._on_ready = on_ready
        self._process: asyncio.subprocess.Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._asked: deque[asyncio.Future[None]] = deque()
        self._unsaid: list[ToWorker] = []
        self._in_order = False
        self._heard_at = 0.0

    @property
    def pid(self) -> int | None:
        """The process; None while there is none."""
        return None if self._process is None else self._process.pid

    async def live(self) -> Ended:
        """Start a process, hear it, and return how it ended."""
        began = self._heard_at = time.monotonic()
        self._in_order = False
        status = 1
        try:
            process, reader = await self._start()
            self._log.info("worker started", worker=self.number, pid=process.pid)
            await self._hear(reader)
            status = await self._wait(process)
        except OSError as error:  # no room for one more process
            self._log.error("cannot start a worker", reason=error.strerror)
        finally:
            was_ready = self._forget()
        return Ended(status, time.monotonic() - began, was_ready, self._in_order)

    def say(self, message: ToWorker) -> None:
        """Send a message, or keep it until there is somebody who hears."""
        if self.is_ready and self._writer is not None:
            self._writer.write(messages.line(message))
        else:
            self._unsaid.append(message)

    def ask(self, *, sources: bool = False) -> asyncio.Future[None]:
        """Ask for its figures; done when they are here, or it is gone."""
        if len(self._asked) >= MAX_ASKED:
            return self._asked[-1]
        answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.is_ready:
            self._asked.append(answered)
            self.say(Ask(sources))
        else:
            answered.set_result(None)
        return answered

    def signal(self, number: int) -> None:
        """Send a signal, if there is somebody."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def look(self) -> None:
        """Kill a process that has not said in time that it is alive."""
        allowed = self._watchdog if self.is_ready else START_SECONDS
        silent = time.monotonic() - self._heard_at
        if self._process is not None and silent > allowed:
            self._log.error("worker hangs", worker=self.number, seconds=round(silent, 1))
            self._heard_at = time.monotonic()
            self.signal(signal.SIGKILL)

    async def _start(self) -> tuple[asyncio.subprocess.Process, asyncio.StreamReader]:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "logopsd.workers"),
                stdin=theirs.fileno(),
                env=_environment(),
                process_group=0,  # a terminal's Ctrl-C reaches the supervisor alone
            )
        hello, fds = self._hello(self.number)
        data = messages.line(hello)
        sent = socket.send_fds(ours, [data], fds)
        reader, self._writer = await asyncio.open_unix_connection(
            sock=ours, limit=messages.MAX_LINE
        )
        self._writer.write(data[sent:])
        self._unsaid.clear()  # it was greeted with what there is to say
        return process, reader

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        """Take what it says until it hangs up, or is cut off by its end."""
        try:
            while line := await reader.readline():
                self._take(messages.from_worker.decode(line))
        except OSError:
            pass

    def _take(self, message: FromWorker) -> None:
        match message:
            case Ready():
                self.is_ready = True
                self._heard_at = time.monotonic()
                self._on_ready(self)
                unsaid, self._unsaid = self._unsaid, []
                for each in unsaid:
                    self.say(each)
            case Alive():
                self._heard_at = time.monotonic()
            case Figures():
                self.snapshot = message.snapshot
                self.not_ready = message.not_ready
                self.open_files = frozenset(map(Path, message.open_files))
                self.sources = message.sources or self.sources
                if not self._asked[0].done():
                    self._asked[0].set_result(None)
                self._asked.popleft()
            case Last():
                self.snapshot, self.seen = message.snapshot, message.seen
                self._in_order = True

    async def _wait(self, process: asyncio.subprocess.Process) -> int:
        """Wait for the end of a process that has hung up."""
        try:
            async with asyncio.timeout(EXIT_SECONDS):
                return await process.wait()
        except TimeoutError:
            process.kill()
            return await process.wait()

    def _forget(self) -> bool:
        """There is nobody any more; whether the process had been ready."""
        was_ready, self.is_ready = self.is_ready, False
        self.not_ready, self.open_files, self.sources = None, frozenset(), None
        self._process = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for answered in self._asked:
            if not answered.done():
                answered.set_result(None)
        self._asked.clear()
        return was_ready


def _environment() -> dict[str, str]:
    """That of a worker: without settings, which come by the channel, and with our own packages."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(_NOT_PASSED)}
    return inherited | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
