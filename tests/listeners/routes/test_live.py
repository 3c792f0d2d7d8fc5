"""What who watches is told, and that nothing is done where nobody does."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from logopsd.listeners.http.feed import Outlet
from logopsd.listeners.routes.live import MAX_WATCHERS, Live, Views
from logopsd.listeners.routes.shown import MAX_BYTES, MAX_RECORDS
from logopsd.stored.newest import Marks, Newest
from tests.listeners.http.helpers import MemoryTransport, Recorder

TICK = 0.001
PATIENCE = 10.0
"""Seconds after which a test has failed, not waited."""


class Files:
    """Stands for the sink's files: gives what the test puts there."""

    def __init__(self) -> None:
        self.looks: list[Marks | None] = []
        self.found: list[Newest] = []
        self.error: Exception | None = None
        self.hangs: asyncio.Event | None = None

    async def newest(self, marks: Marks | None) -> Newest:
        """Give the next."""
        self.looks.append(marks)
        if self.hangs is not None:
            await self.hangs.wait()
        if self.error is not None:
            raise self.error
        return self.found.pop(0) if self.found else Newest()

    async def files(self) -> Mapping[str, Any]:
        """Give sizes."""
        return {"files": {"count": len(self.looks)}}


def views(files: Files | None = None, **more: Any) -> Views:
    """Give views of a daemon that does nothing; `files` are those it writes."""
    given = {
        "version": "1.2.3",
        "started": 1.0,
        "state": lambda: None,
        "figures": lambda: {"inputs": {}, "sink": {}},
        "sources": lambda now: {"sources": [], "now": now},
        "retention": lambda: {"days": 30},
        "files": (files or Files()).files,
        "newest": None if files is None else files.newest,
    }
    return Views(**(given | more))


class Watcher:
    """Somebody who watches."""

    def __init__(self, live: Live) -> None:
        self.transport = MemoryTransport()
        self.outlet = Outlet(self.transport, live)

    def begin(self) -> "Watcher":
        """Begin to watch."""
        self.outlet.begin()
        return self

    @property
    def events(self) -> list[dict[str, Any]]:
        """What came, without the hint when to come back."""
        parts = bytes(self.transport.written).decode().split("\n\n")
        assert parts.pop() == ""
        data = [part.removeprefix("data: ") for part in parts if not part.startswith("retry:")]
        return [json.loads(each) for each in data]

    async def until(self, is_there: Callable[["Watcher"], object]) -> None:
        """Let ticks pass until something is there."""
        async with asyncio.timeout(PATIENCE):
            while not is_there(self):  # noqa: ASYNC110  # a tick sets no event
                await asyncio.sleep(TICK)


def line(number: int, **more: str) -> bytes:
    """A line as it is stored."""
    received = f"2026-11-23T12:00:00.{number:03d}Z"
    record = {"ts": received, "level": "INFO", "msg": f"number {number}", "received": received}
    return json.dumps(record | more).encode()


def watched(test: Callable[[Live, Recorder], Awaitable[None]], given: Views) -> None:
    """Run a test with a feed; nothing may be left of it at the end."""

    async def run() -> None:
        log = Recorder()
        await test(Live(given, log.logger, tick_seconds=TICK), log)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_with_nobody_watching_nothing_is_done() -> None:
    """No task, no look at a file, no record held: before the first, and behind the last."""
    files = Files()
    files.found = [Newest([line(1)])]

    async def test(live: Live, _: Recorder) -> None:
        assert live.is_resting
        assert len(asyncio.all_tasks()) == 1
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: len(w.events) > 2)
        assert not live.is_resting
        watcher.outlet.end()
        assert live.is_resting
        looks = len(files.looks)
        for _ in range(10):
            await asyncio.sleep(TICK)
        assert (len(files.looks), len(asyncio.all_tasks())) == (looks, 1)

    watched(test, views(files))


def test_a_watcher_is_told_all_and_then_what_comes() -> None:
    """At once what is known, then a tick after the other; senders and sizes come seldom."""
    files = Files()
    files.found = [Newest([line(1)], 500), Newest([line(2)], 0, {}), Newest()]

    async def test(live: Live, _: Recorder) -> None:
        watcher = Watcher(live).begin()
        assert bytes(watcher.transport.written).startswith(b"retry: 1000\n\ndata: {")
        (hello,) = watcher.events
        assert hello["hello"] is True
        assert (hello["version"], hello["state"], hello["retention"]) == (
            "1.2.3",
            None,
            {"days": 30},
        )
        await watcher.until(lambda w: len(w.events) > 4)
        first, second, third, fourth = watcher.events[1:5]
        assert [each["msg"] for each in first["records"]] == ["number 1"]
        assert [each["msg"] for each in second["records"]] == ["number 2"]
        assert third["records"] == []
        assert first["left_out"] == 0  # it was there before
        assert ["files" in each for each in (first, second, third, fourth)] == [
            True,
            False,
            False,
            True,
        ]
        late = Watcher(live).begin()
        assert [each["msg"] for each in late.events[0]["records"]] == ["number 1", "number 2"]
        for each in (watcher, late):
            each.outlet.end()

    watched(test, views(files))
    assert files.looks[0] is None


def test_what_is_left_out_is_told() -> None:
    """What was not read is reckoned by the length of what was; what is too much is counted."""
    files = Files()
    many = [line(number) for number in range(MAX_RECORDS + 7)]
    size = len(line(1))
    files.found = [Newest(), Newest([line(1), line(2)], size * 10), Newest(many)]

    async def test(live: Live, _: Recorder) -> None:
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: len(w.events) > 3)
        _, _, second, third = watcher.events[:4]
        assert second["left_out"] == 10
        assert third["left_out"] == 7
        assert [each["msg"] for each in third["records"]][-1] == f"number {MAX_RECORDS + 6}"
        watcher.outlet.end()

    watched(test, views(files))


def test_who_takes_nothing_is_left_out() -> None:
    """The others are told all the same, and nothing is kept for it."""

    async def test(live: Live, _: Recorder) -> None:
        slow, fast = Watcher(live).begin(), Watcher(live).begin()
        slow.outlet.is_ready = False
        await fast.until(lambda w: len(w.events) > 5)
        assert len(slow.events) == 1
        slow.outlet.is_ready = True
        await slow.until(lambda w: len(w.events) > 1)
        slow.outlet.end()
        fast.outlet.end()

    watched(test, views(Files()))


def test_memory_is_bounded() -> None:
    """What is held for who comes later has a bound in bytes."""
    files = Files()
    files.found = [Newest([line(n, msg="x" * 5000) for n in range(60)]) for _ in range(5)]

    async def test(live: Live, _: Recorder) -> None:
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: not files.found)
        late = Watcher(live).begin()
        assert 0 < len(late.transport.written) < MAX_BYTES + 2000
        for each in (watcher, late):
            each.outlet.end()

    watched(test, views(files))


def test_watchers_are_bounded() -> None:
    """Their number is looked at before one begins."""

    async def test(live: Live, _: Recorder) -> None:
        watchers = [Watcher(live).begin() for _ in range(MAX_WATCHERS)]
        assert live.is_full
        watchers[0].outlet.end()
        assert not live.is_full
        for each in watchers[1:]:
            each.outlet.end()

    watched(test, views())


def test_a_disk_that_fails_is_told() -> None:
    """By its reason, and the figures go on."""
    files = Files()
    files.error = PermissionError(13, "Permission denied")

    async def test(live: Live, _: Recorder) -> None:
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: len(w.events) > 1)
        assert watcher.events[1]["problem"] == "Permission denied"
        files.error = None
        await watcher.until(lambda w: w.events[-1]["problem"] == "")
        watcher.outlet.end()

    watched(test, views(files))


def test_a_disk_that_hangs_holds_up_no_figures(monkeypatch: Any) -> None:
    """One look is under way at most; what it finds in the end is told."""
    monkeypatch.setattr("logopsd.listeners.routes.live.LOOK_SECONDS", 0.001)
    files = Files()
    files.found = [Newest([line(1)])]

    async def test(live: Live, _: Recorder) -> None:
        files.hangs = asyncio.Event()
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: len(w.events) > 4)
        assert watcher.events[-1]["problem"] == "the disk does not answer"
        assert len(files.looks) == 1
        files.hangs.set()
        files.hangs = None
        await watcher.until(lambda w: any(each["records"] for each in w.events))
        await watcher.until(lambda w: w.events[-1]["problem"] == "")
        watcher.outlet.end()

    watched(test, views(files))


def test_a_bug_ends_the_streams_and_not_the_daemon() -> None:
    """It is told by its type; who watches sees the end, and may come again."""
    files = Files()
    files.error = ValueError("secret")

    async def test(live: Live, log: Recorder) -> None:
        watcher = Watcher(live).begin()
        await watcher.until(lambda w: w.transport.closed)
        assert live.is_resting
        assert log.events == [{"level": "error", "event": "page failed", "type": "ValueError"}]

    watched(test, views(files))
