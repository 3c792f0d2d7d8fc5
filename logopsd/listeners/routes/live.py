"""What the page is told each second, by server-sent events, as long as somebody watches.

Nothing here is fed by the way of the data: a tick reads the figures there are and the end of the
files, as anybody could. With nobody watching there is no task, no read and no record held.

Source: HTML Living Standard, section 9.2, "Server-sent events".
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import count
from typing import Any, Final

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.listeners.http.feed import Outlet
from logopsd.listeners.routes.shown import MAX_BYTES, MAX_RECORDS, shown
from logopsd.stored.newest import Marks, Newest

TICK_SECONDS: Final = 1.0
"""Between two events: they are the heartbeat too, and each costs some 100 us of CPU."""

SLOW_TICKS: Final = 3
"""Senders and sizes of files come with every so many, as they change more slowly."""

LOOK_SECONDS: Final = 0.5
"""How long a tick waits for the disk; one that hangs holds up no figures."""

MAX_WATCHERS: Final = 8
"""Pages open at once. Each may cost 64 KiB and an event that its client does not take."""

RETRY_MILLISECONDS: Final = 1000
"""After so long a browser comes back, as when the daemon restarts."""

Values = Mapping[str, Any]


class Views(msgspec.Struct, frozen=True):
    """What the page shows, each asked while somebody watches and in the event loop.

    Attributes:
        version: of the daemon.
        started: when that was, seconds since the epoch.
        state: why records should not be sent now; None where they may.
        figures: as figures.snapshot gives them.
        sources: takes the time, seconds since the epoch; gives the table of senders, its newest.
        retention: for how long what is kept, and when that was last seen to.
        files: the sizes of what is stored; may raise OSError.
        newest: takes the marks of its last call; gives the newest lines, and may raise OSError.
            None where no files are written.
    """

    version: str
    started: float
    state: Callable[[], str | None]
    figures: Callable[[], Values]
    sources: Callable[[float], Values]
    retention: Callable[[], Values]
    files: Callable[[], Awaitable[Values]]
    newest: Callable[[Marks | None], Awaitable[Newest]] | None


class Live:
    """Tells all who watch the same; a feed of the HTTP listener.

    Args:
        views: what is told.
        log: told of a bug.
        tick_seconds: see TICK_SECONDS.
    """

    def __init__(
        self, views: Views, log: FilteringBoundLogger, *, tick_seconds: float = TICK_SECONDS
    ) -> None:
        self._views = views
        self._log = log
        self._tick_seconds = tick_seconds
        self._watchers: set[Outlet] = set()
        self._task: asyncio.Task[None] | None = None
        self._forget()

    @property
    def is_full(self) -> bool:
        """Whether no one else may watch."""
        return len(self._watchers) >= MAX_WATCHERS

    @property
    def is_resting(self) -> bool:
        """Whether nobody watches, and nothing is done."""
        return not self._watchers and self._task is None and not self._recent

    def begin(self, outlet: Outlet) -> None:
        """Tell a new watcher all there is, and then what comes."""
        self._watchers.add(outlet)
        event = self._figures() | self._slow() | {"records": _raw(self._recent), "hello": True}
        outlet.write(b"retry: %d\n\n%b" % (RETRY_MILLISECONDS, _event(event)))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="page")

    def end(self, outlet: Outlet) -> None:
        """Tell one less; with the last one all work ends."""
        self._watchers.discard(outlet)
        if not self._watchers and self._task is not None:
            self._task.cancel()
            self._task = None
            self._forget()

    def _forget(self) -> None:
        self._recent: deque[bytes] = deque(maxlen=MAX_RECORDS)
        self._news: list[bytes] = []
        self._marks: Marks | None = None
        self._files: Values | None = None
        self._left_out = 0
        self._problem = ""

    async def _run(self) -> None:
        looking: asyncio.Task[None] | None = None
        try:
            for tick in count():
                is_slow = tick % SLOW_TICKS == 0
                if looking is None:
                    looking = asyncio.create_task(self._look(with_files=is_slow))
                if (await asyncio.wait([looking], timeout=LOOK_SECONDS))[0]:
                    looking.result()
                    looking = None
                else:
                    self._problem = "the disk does not answer"
                self._tell(with_slow=is_slow)
                await asyncio.sleep(self._tick_seconds)
        except Exception as error:  # a bug of ours; who watches sees it by the end of the stream
            self._log.error("page failed", type=type(error).__name__)
            for outlet in list(self._watchers):
                outlet.end()
        finally:
            if looking is not None:
                looking.cancel()

    async def _look(self, *, with_files: bool) -> None:
        """Look at the files, in threads that a disk may hold up."""
        try:
            if with_files:
                self._files = await self._views.files()
            if self._views.newest is not None:
                found = await self._views.newest(self._marks)
                self._take(found)
            self._problem = ""
        except OSError as error:
            self._problem = error.strerror or type(error).__name__

    def _take(self, found: Newest) -> None:
        is_first, self._marks = self._marks is None, found.marks
        news, left_out = shown(found.lines)
        self._news += news
        if is_first:  # what was there before is no news that anybody misses
            return
        if found.skipped_bytes:
            size = sum(map(len, found.lines)) or 1
            left_out += max(1, found.skipped_bytes * len(found.lines) // size)
        self._left_out += left_out

    def _tell(self, *, with_slow: bool) -> None:
        event = self._figures() | {"records": _raw(self._news), "left_out": self._left_out}
        self._recent += self._news
        while sum(map(len, self._recent)) > MAX_BYTES:
            self._recent.popleft()
        self._news, self._left_out = [], 0
        if with_slow:
            event |= self._slow()
        data = _event(event)
        for outlet in list(self._watchers):
            if outlet.is_ready:  # else it misses this one; the next tells the figures anew
                outlet.write(data)

    def _figures(self) -> dict[str, Any]:
        views = self._views
        return {
            "now": round(time.time(), 3),
            "version": views.version,
            "started": views.started,
            "state": views.state(),
            "problem": self._problem,
            "has_files": views.newest is not None,
            **views.figures(),
        }

    def _slow(self) -> dict[str, Any]:
        views = self._views
        return {
            "sources": views.sources(time.time()),
            "files": self._files,
            "retention": views.retention(),
        }


def _raw(records: Iterable[bytes]) -> list[msgspec.Raw]:
    return list(map(msgspec.Raw, records))


def _event(content: object) -> bytes:
    return b"data: %b\n\n" % msgspec.json.encode(content)
