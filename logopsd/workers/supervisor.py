"""The lifetime of several workers as one daemon: start, watch over, start again, and one way out.

It takes no record itself, and does what there is once: it holds the sockets and the lock of the
directory, shows one page of metrics, keeps one account, runs one retention, speaks to systemd.
"""

import asyncio
import os
import signal
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any, Final

from structlog.typing import FilteringBoundLogger

import logopsd
from logopsd.assembly.inherited import Inherited
from logopsd.assembly.privacy import privacy
from logopsd.assembly.shipping import in_daemon
from logopsd.assembly.side_port import opening_routes, side_port
from logopsd.assembly.tls import load_tls
from logopsd.assembly.views import MAX_SOURCES, views
from logopsd.chores import tasks
from logopsd.chores.housekeeping import Rounds, rounds
from logopsd.chores.reload import Reloader
from logopsd.chores.sink_watch import status_line
from logopsd.config import Settings, Source
from logopsd.daemon import SHIP_SECONDS, is_terminal
from logopsd.errors import LogopsError
from logopsd.listeners.http.listener import HttpListener
from logopsd.listeners.http.messages import Routes
from logopsd.listeners.routes.live import Live
from logopsd.systemd import Notifier, inherited_sockets
from logopsd.workers import upkeep
from logopsd.workers.crew import Crew
from logopsd.workers.directories import Directories
from logopsd.workers.messages import Hello
from logopsd.workers.process import Worker
from logopsd.workers.sharing import SharedSockets
from logopsd.workers.side import SideRoutes
from logopsd.workers.whole import Whole

WATCHDOG_SECONDS: Final = 30.0
"""Within which a worker must say that it is alive, where systemd asks for nothing stricter; the
same as WatchdogSec= of our units."""


def run(
    source: Source,
    count: int,
    log: FilteringBoundLogger,
    *,
    reloader: Reloader,
    own_log: str,
) -> int:
    """Run a daemon of several workers until SIGTERM or SIGINT; as `daemon.run`.

    Args:
        source: of the settings.
        count: of the workers.
        log: the supervisor's own.
        reloader: reads the settings again on SIGHUP.
        own_log: what stands in each line of `log`, and of the workers', and in no other.
    """

    async def live() -> int:
        return await Supervisor(source, count, log, reloader=reloader, own_log=own_log).run()

    return asyncio.run(live())


class Supervisor:
    """Everything from start to end; made inside the running event loop."""

    def __init__(
        self,
        source: Source,
        count: int,
        log: FilteringBoundLogger,
        *,
        reloader: Reloader,
        own_log: str,
    ) -> None:
        self._source = source
        self._count = count
        self._log = log
        self._reloader = reloader
        self._own_log = own_log
        self._at_terminal = is_terminal()
        self._loop = asyncio.get_running_loop()
        self._ending = asyncio.Event()
        self._hung_up = asyncio.Event()
        self._status = 0
        self._tasks: list[asyncio.Task[None]] = []
        self._notify = Notifier(os.environ)
        # Half of what systemd allows, so that a worker is killed before all of us are.
        self._watchdog = min(WATCHDOG_SECONDS, self._notify.watchdog_interval or WATCHDOG_SECONDS)
        self._inherited = Inherited(inherited_sockets(os.environ), log)
        self._sockets = SharedSockets(self._settings, count, self._inherited)
        self._crew = Crew(
            count,
            hello=self._hello,
            watchdog=self._watchdog,
            ending=self._ending,
            log=log,
            gone=self._gone,
        )
        self._whole = Whole(
            self._settings,
            self._crew.workers,
            pids=lambda: [os.getpid(), *self._crew.pids()],
            drops=self._sockets.drops,
            restarts=lambda: self._crew.restarts,
        )
        self._directories = Directories(
            self._settings, self._whole.own, log, self._loop.call_soon_threadsafe
        )
        self._account = self._whole.make_account(self._directories)
        sources = partial(self._whole.table, most=MAX_SOURCES)
        shown = views(lambda: self._settings, self._whole.metrics, sources, self._whole.not_ready)
        self._live = Live(shown, log)
        self._side_routes = SideRoutes(self._whole, self._live)
        self._side_ports: list[HttpListener] = []
        self._sweeper = self._rounds(self._settings)
        self._shipping = in_daemon(self._settings, log, self._whole.metrics)

    @property
    def _settings(self) -> Settings:
        return self._source.effective.settings

    async def run(self) -> int:
        """Start, wait for the end, shut down; returns the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ending.set)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        try:
            await self._start()
            await self._ending.wait()
        except LogopsError as error:
            self._log.error("cannot start", problem=str(error))
            self._status = 1
        await self._shut_down()
        return self._status

    async def _start(self) -> None:
        # The lock first: while it is ours, nobody else writes to the directory.
        self._directories.open()
        self._account.open(time.time())
        await self._listen()
        if not await self._crew.start():
            self._ending.set()
            return
        await self._whole.refresh()
        self._spawn("workers", self._crew.watch())
        asking = upkeep.ask(
            self._whole, self._notify, self._state, lambda: not self._live.is_resting
        )
        self._spawn("figures", asking)
        self._spawn("summary", tasks.sum_up(self._whole.metrics, self._log))
        self._spawn("account", upkeep.keep_account(self._account, self._whole, self._directories))
        self._spawn("sources", upkeep.watch_sources(self._whole, self._log))
        self._spawn("reload", self._reload())
        if self._settings.housekeep_autorun:
            interval = self._settings.housekeep_interval_sec
            keeping = upkeep.keep_house(self._whole.own, self._log, interval, lambda: self._sweeper)
            self._spawn("housekeeping", keeping)
        if self._notify.watchdog_interval is not None:
            feeding = upkeep.feed_watchdog(self._notify, self._notify.watchdog_interval)
            self._spawn("watchdog", feeding)
        if self._shipping is not None:
            self._shipping.start()
        self._log.info(
            "ready",
            version=logopsd.__version__,
            workers=self._count,
            files=str(self._settings.sink_dir) if self._settings.sink_file else None,
            pii_encryption=self._settings.encrypt_pii,
        )
        self._notify.ready()
        self._notify.status(self._state())
        if self._notify.is_heard:
            self._sockets.keep(self._notify.store)

    async def _listen(self) -> None:
        """Open all sockets, and the side port, before there is a worker to read from them."""
        await self._sockets.open()
        for input, address in self._sockets.addresses():
            self._log.info("listening", input=input, address=address)
        inherited = self._inherited.take("metrics")
        self._inherited.close_rest(self._notify.unstore)
        port = self._settings.metrics_port
        make = partial(side_port, self._settings, self._log, self._routes(self._settings))
        if inherited:
            self._side_ports = [make(0, sock) for sock in inherited]
        elif port is not None:
            self._side_ports = [make(port, None)]
        for listener in self._side_ports:
            await listener.start()
            self._log.info("listening", input="metrics", address=listener.addresses[0])

    async def _shut_down(self) -> None:
        self._notify.stopping()
        self._log.info("stopping")
        self._sweeper.stop()  # a large archive would take longer than we have
        if self._shipping is not None:
            self._shipping.stop()  # what is not sent yet is sent after the next start
        # From here on a socket ends with the worker that has it: nothing comes in behind it.
        self._sockets.release()
        self._status = max(self._status, await self._crew.stop())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shipping is not None:
            await asyncio.to_thread(self._shipping.join, SHIP_SECONDS)
        self._whole.add_up()
        if self._directories.main is not None:
            self._whole.save_journals(self._directories.main, self._log)
        if not await self._directories.close():
            self._status = max(self._status, 1)
        await upkeep.save_account(self._account, clean=True)
        # The side port last: until here a scrape sees how the account closes.
        for listener in self._side_ports:
            await listener.close()
        self._sockets.remove_paths()
        self._log.info("stopped", exit_status=self._status)

    # What it says to the workers.

    def _hello(self, number: int) -> tuple[Hello, list[int]]:
        named = self._sockets.of(number)
        locks = self._directories.locks()
        hello = Hello(
            number=number,
            count=self._count,
            instance=self._own_log,
            settings=self._source.effective.as_environment(),
            sockets=[name for name, _ in named],
            locks=[str(folder) for folder in locks],
            watchdog=self._watchdog,
        )
        return hello, [*(sock.fileno() for _, sock in named), *locks.values()]

    def _gone(self, worker: Worker, unknown: bool) -> None:
        self._whole.bury(worker)
        if unknown:
            self._account.interrupt()

    def _hang_up(self) -> None:
        """SIGHUP: begin anew with files and settings; or end, where it was a terminal's last."""
        if self._at_terminal and not is_terminal():
            self._ending.set()
        self._hung_up.set()

    async def _reload(self) -> None:
        while True:
            await self._hung_up.wait()
            self._hung_up.clear()
            self._notify.reloading()
            self._directories.look()
            before = self._source.effective
            note = self._reloader.reload(self._reconfigure, self._log)
            after = self._source.effective
            await self._crew.reload(None if after is before else after.as_environment())
            self._notify.status(self._state(note))
            self._notify.ready()

    def _reconfigure(self, settings: Settings) -> None:
        """Try what could fail in a worker, and take what is the supervisor's own."""
        privacy(settings, time.time())
        load_tls(settings)
        self._whole.add_detectors(settings.pii_detectors)
        for listener in self._side_ports:
            listener.replace_routes(self._routes(settings))
        self._sweeper.stop()  # a round under way goes on by the new settings
        self._sweeper = self._rounds(settings)

    # What there is once.

    def _routes(self, settings: Settings) -> Routes:
        return {**self._side_routes.routes(settings), **opening_routes(settings, self._log)}

    def _rounds(self, settings: Settings) -> Rounds:
        return rounds(settings, lambda: self._whole.open_files() | self._directories.open_files())

    def _state(self, note: str = "") -> str:
        """One line for `systemctl status`."""
        state = self._whole.not_ready() or status_line(None)
        return "; ".join(filter(None, (f"{self._count} workers: {state}", note)))

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task beside the workers; one that fails ends the daemon, as with one process."""
        task = self._loop.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._log.error("task failed", task=task.get_name(), exc_info=error)
        self._status = 1
        self._ending.set()
