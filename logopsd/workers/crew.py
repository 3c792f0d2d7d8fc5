"""All workers: started, greeted, started again when they die, told of settings, ended."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from logopsd.workers.messages import Hello, Reload
from logopsd.workers.process import Ended, Worker
from logopsd.workers.restarts import Restarts

STOP_SECONDS: Final = 8.8
"""For all workers to end; each keeps to 8 s by itself. What is left of the 10 s promised is for
the account and the state of journals."""

LOOK_SECONDS: Final = 1.0
"""Between two looks at who hangs."""

RELOAD_SECONDS: Final = 5.0
"""For all workers to take other settings, before systemd is told that it is done."""


class Crew:
    """The workers.

    Args:
        count: how many.
        hello: gives what to greet one with, by its number, and the descriptors that go along.
        watchdog: seconds within which each must say that it is alive.
        ending: set when nobody is to be started any more.
        log: told who starts and who dies.
        gone: called with a worker whose process has ended, before another takes its place, and
            whether its last figures are unknown.

    Attributes:
        workers: all of them.
        restarts: how often one was started again.
    """

    def __init__(
        self,
        count: int,
        *,
        hello: Callable[[int], tuple[Hello, Sequence[int]]],
        watchdog: float,
        ending: asyncio.Event,
        log: FilteringBoundLogger,
        gone: Callable[[Worker, bool], None],
    ) -> None:
        self.workers = [
            Worker(number, hello=hello, watchdog=watchdog, log=log, on_ready=self._is_ready)
            for number in range(1, count + 1)
        ]
        self.restarts = 0
        self._ending = ending
        self._log = log
        self._gone = gone
        self._started = False
        self._keepers: list[asyncio.Task[int]] = []
        self._awaited: set[Worker] = set()
        self._settled = asyncio.Event()  # nobody is awaited any more

    async def start(self) -> bool:
        """Start all, and wait until they are ready; whether they are.

        They are not where one could not start, or the end came before.
        """
        self._await_all()
        self._keepers = [asyncio.create_task(self._keep(worker)) for worker in self.workers]
        events = [asyncio.create_task(e.wait()) for e in (self._settled, self._ending)]
        await asyncio.wait([*events, *self._keepers], return_when=asyncio.FIRST_COMPLETED)
        for event in events:
            event.cancel()
        self._started = not self._awaited
        return self._started

    async def watch(self) -> None:
        """Kill who hangs, for good; raises where a place is no longer kept, by a bug."""
        while True:
            for worker in self.workers:
                worker.look()
            await asyncio.sleep(LOOK_SECONDS)
            for keeper in self._keepers:
                if keeper.done():
                    keeper.result()

    async def reload(self, settings: dict[str, str] | None) -> None:
        """Have all open their files anew and take other settings, and wait for them, for a time.

        Args:
            settings: see messages.Reload.
        """
        self._await_all()
        for worker in self.workers:
            worker.say(Reload(settings))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELOAD_SECONDS):
                await self._settled.wait()

    async def stop(self) -> int:
        """End all; returns the exit status: of one that failed, or 0."""
        self._ending.set()
        for worker in self.workers:
            worker.signal(signal.SIGTERM)
        if not self._keepers:
            return 0
        _, late = await asyncio.wait(self._keepers, timeout=STOP_SECONDS)
        if late:
            hanging = [worker.number for worker in self.workers if worker.pid is not None]
            self._log.error("workers did not end in time", workers=hanging)
            for worker in self.workers:
                worker.signal(signal.SIGKILL)
        results = await asyncio.gather(*self._keepers, return_exceptions=True)
        return max(1 if isinstance(result, BaseException) else result for result in results)

    def pids(self) -> list[int]:
        """The processes there are."""
        return [worker.pid for worker in self.workers if worker.pid is not None]

    def _await_all(self) -> None:
        self._awaited = set(self.workers)
        self._settled.clear()

    def _is_ready(self, worker: Worker) -> None:
        if self._ending.is_set():  # it was being started when all others were told
            worker.signal(signal.SIGTERM)
        self._awaited.discard(worker)
        if not self._awaited:
            self._settled.set()

    async def _keep(self, worker: Worker) -> int:
        """Have a place filled until the end; returns the exit status of who was there last."""
        restarts = Restarts()
        while True:
            ended = await worker.live()
            self._gone(worker, ended.was_ready and not ended.in_order)
            if self._ending.is_set():
                return _status(ended)
            if not self._started:
                self._log.error("worker did not start", worker=worker.number, status=ended.text)
                return _status(ended) or 1
            wait = restarts.died(ended.lived)
            self._log.error(
                "worker died", worker=worker.number, status=ended.text, restart_in_seconds=wait
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._ending.wait()
            if self._ending.is_set():
                self._log.error(
                    "worker missing at the end", worker=worker.number, hint="what waited is lost"
                )
                return 1
            self.restarts += 1


def _status(ended: Ended) -> int:
    """What the end of a worker makes of the exit status of the whole."""
    if ended.status == -signal.SIGTERM and not ended.was_ready:
        return 0  # it had not yet begun to listen to signals, nor to anything else
    return ended.status if ended.status >= 0 else 1
