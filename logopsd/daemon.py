"""The lifetime of the daemon: the start order, the tasks beside the data, and the one way out.

What there is and who knows whom is in `assembly.py`; the way of a batch is in `pipeline.py`.
"""

import asyncio
import contextlib
import errno
import gc
import os
import signal
import socket
import time
from collections.abc import Coroutine
from functools import partial
from typing import Any

from structlog.typing import FilteringBoundLogger

import logopsd
from logopsd.assembly.inherited import STORED, Inherited
from logopsd.assembly.parts import assemble, reconfigure
from logopsd.assembly.share import Share
from logopsd.chores import seen_file, tasks, warming
from logopsd.chores.aside import aside
from logopsd.chores.heartbeat import Heartbeat
from logopsd.chores.housekeeping import Housekeeping
from logopsd.chores.reload import Reloader
from logopsd.chores.sink_watch import status_line
from logopsd.compiled import IS_COMPILED
from logopsd.config import Settings
from logopsd.errors import LogopsError
from logopsd.listeners.listener import Listener
from logopsd.listeners.throttle import ThrottledWarnings
from logopsd.systemd import Notifier, inherited_sockets

CLOSE_SECONDS = 4.0
"""For peers to be read out and requests to be answered. With DRAIN_SECONDS it keeps the promise
that the process is gone 10 s after SIGTERM."""

DRAIN_SECONDS = 4.0
"""For the sink to write and fsync what it holds."""

WATCH_SECONDS = 1.0
"""How soon it is noticed that the disk does not answer, beyond the time it may take."""

KEY_SECONDS = 60.0
"""Between two looks whether the keys of this day and the next are on the disk."""

SAVE_SECONDS = 1.0
"""How long the disk may take for these figures; at the end the process waits no longer."""

SHIP_SECONDS = 1.0
"""For an acknowledgement that is on its way, at the end; without it a range is sent twice."""

COLLECT_AFTER = 50_000
"""Containers made and not let go of, after which it is looked for those that nobody holds; a batch
has some thousands, Python's own figure is 700."""

ACCOUNT_SECONDS = 60.0
"""Between two times the figures of the day are kept on the disk: what a kill makes unknown."""


def run(
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    reloader: Reloader | None = None,
    own_log: str = "",
) -> int:
    """Run the daemon until SIGTERM or SIGINT.

    Args:
        settings: valid ones.
        log: the daemon's own.
        reloader: reads the settings again on SIGHUP; None where they are fixed.
        own_log: what stands in each line of `log` and in no other.

    Returns:
        The exit status: 0 after a complete shutdown, 1 if something could not be started or
        written, or failed on the way.
    """
    calm_collector()

    async def live() -> int:
        return await Daemon(settings, log, reloader=reloader, own_log=own_log).run()

    return asyncio.run(live())


def calm_collector() -> None:
    """Have the garbage collector look seldom, and at nothing that stays for good.

    Records hold no cycles, and a batch of them would have it run several times: 7.4 us of CPU a
    record of RFC 5424 became 6.9, medians of seven rounds in turns. What does hold cycles, such
    as a connection that failed, is still found, some MiB later.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def is_terminal() -> bool:
    """Whether standard input is a terminal that is still there."""
    return os.isatty(0)


class Daemon:
    """Everything from start to end; made inside the running event loop.

    Args:
        settings: see `run`.
        log: likewise.
        reloader: likewise.
        own_log: likewise.
        notify: speaks to who watches over this process; by default to systemd.
        sockets: handed over, by name; by default those that systemd opened.
        share: the place of this process among several; None where it is alone.
    """

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        *,
        reloader: Reloader | None = None,
        own_log: str = "",
        notify: Notifier | None = None,
        sockets: dict[str, list[socket.socket]] | None = None,
        share: Share | None = None,
    ) -> None:
        self._settings = settings
        self._reloader = reloader
        self._started = False
        self._reload_due = False
        self._at_terminal = is_terminal()
        self._log = log
        self._warnings = ThrottledWarnings(log, time.monotonic)
        self._loop = asyncio.get_running_loop()
        self._notify = Notifier(os.environ) if notify is None else notify
        self._ending = asyncio.Event()
        self._failed = False
        self._tasks: list[asyncio.Task[None]] = []
        inherited = Inherited(inherited_sockets(os.environ) if sockets is None else sockets, log)
        self._parts = assemble(
            settings,
            log,
            notify=self._notify,
            deliver=self._loop.call_soon_threadsafe,
            defer=self._loop.call_soon,
            not_ready=self._not_ready,
            inherited=inherited,
            own_log=own_log,
            share=share,
        )
        inherited.close_rest(self._notify.unstore)

    async def run(self) -> int:
        """Start, wait for the end, shut down; returns the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self._ending.set)
        self._loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        self._loop.set_exception_handler(self._callback_failed)
        try:
            await self._start()
            await self._ending.wait()
        except LogopsError as error:
            self._log.error("cannot start", problem=str(error))
            self._failed = True
        await self._shut_down()
        return 1 if self._failed else 0

    async def _start(self) -> None:
        parts = self._parts
        # The sink first: nothing may be read that could not be kept.
        parts.sink_watch.stall_changed = self._sink_stalls
        parts.sink.open()
        if parts.free_space is not None:
            parts.free_space.start()
        self._take_up()
        for listener in parts.listeners.inputs:
            parts.sink.register(listener.pause, listener.resume)
            await self._listen(listener)
        await self._tell_outside()
        self._spawn("notices", tasks.write_notices(parts.pipeline))
        self._spawn("sink watch", self._watch_sink())
        self._spawn("day keys", self._keep_keys())
        if parts.certificates is not None:
            self._spawn("certificates", parts.certificates.watch())
        if (interval := self._notify.watchdog_interval) is not None:
            heartbeat = Heartbeat(parts.pipeline.beat, parts.sink)
            feeding = tasks.feed_watchdog(self._notify, heartbeat, interval, self._log)
            self._spawn("watchdog", feeding)
        self._say(
            "ready",
            version=logopsd.__version__,
            compiled=IS_COMPILED,
            files=str(self._settings.sink_dir) if self._settings.sink_file else None,
            stdout=self._settings.sink_stdout,
            pii_encryption=self._settings.encrypt_pii,
        )
        self._started = True
        self._notify.ready()
        self._notify.status(status_line(None))
        if self._notify.is_heard:
            for kept in parts.listeners.kept:
                kept.keep(self._store)
        if self._reload_due:
            self._hang_up()
        # What nobody has needed until now, and the next line or scrape may need.
        self._spawn("patterns", warming.compile_patterns())
        if parts.listeners.side_ports:
            self._spawn("page", warming.load_page())

    async def _shut_down(self) -> None:
        parts = self._parts
        self._notify.stopping()
        self._say("stopping")
        parts.sweeper.stop()  # a large archive would take longer than we have
        if parts.shipping is not None:
            parts.shipping.stop()  # what is not sent yet is sent after the next start
        # No new peers; those that are here stay until they are read out.
        for listener in parts.listeners.inputs:
            listener.stop_accepting()
        # What has arrived is read and handed down; HTTP answers as its receipts come in.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(listener.close() for listener in parts.listeners.inputs))
        parts.pipeline.flush()
        parts.pipeline.write_notices(final=True)
        # Everything handed down is written and fsynced; only then may the process end.
        complete = await asyncio.to_thread(parts.sink.close, DRAIN_SECONDS)
        if not complete:
            self._failed = True
            lost = parts.sink_watch.lost(parts.sink.unstored())
            self._log.error("not all could be written", records=lost, reason=parts.sink.stalled)
        await self._hand_on(complete=complete)
        if parts.free_space is not None:
            parts.free_space.stop()
        if parts.shipping is not None:
            await asyncio.to_thread(parts.shipping.join, SHIP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._say("stopped", exit_status=1 if self._failed else 0)

    # What there is once, however many processes receive; workers/worker.py has another for each.

    def _take_up(self) -> None:
        """Go on where the last process ended."""
        self._parts.account.open(time.time())
        self._recall_journals()

    async def _tell_outside(self) -> None:
        """Begin to show, to write and to keep what there is once."""
        for listener in self._parts.listeners.side_ports:
            await self._listen(listener)
        self._spawn("summary", tasks.sum_up(self._parts.metrics, self._log))
        self._spawn("account", self._keep_account())
        self._spawn("sources", tasks.watch_sources(self._parts.sources, self._log))
        if self._settings.housekeep_autorun:
            self._spawn("housekeeping", self._keep_house())
        if self._parts.shipping is not None:
            self._parts.shipping.start()

    async def _hand_on(self, *, complete: bool) -> None:
        """Keep what the next process takes up, and show nothing more.

        Args:
            complete: all that was taken is stored.
        """
        if complete and self._settings.sink_file:
            seen_file.save(self._parts.listeners.seen, self._settings.sink_dir, self._log)
        await self._save_account(clean=True)
        # The side port last: until here a scrape sees how the account closes.
        for listener in self._parts.listeners.side_ports:
            await listener.close()

    def _say(self, event: str, **fields: object) -> None:
        """Log where the daemon stands."""
        self._log.info(event, **fields)

    def _recall_journals(self) -> None:
        if self._settings.sink_file:
            seen_file.load(self._parts.listeners.seen, self._settings.sink_dir, self._log)

    async def _listen(self, listener: Listener) -> None:
        await listener.start()
        for address in listener.addresses:
            self._say("listening", input=listener.input, address=address)

    def _hang_up(self) -> None:
        """SIGHUP: begin anew with files and settings; or end, where it was a terminal's last."""
        if self._at_terminal and not is_terminal():
            self._ending.set()
        if not self._started:
            self._reload_due = True
        if self._ending.is_set() or not self._started:
            return
        self._notify.reloading()
        self._parts.sink.reopen()
        note = ""
        if self._reloader is not None:
            note = self._reloader.reload(self._reconfigure, self._log)
        self._notify.status(status_line(self._parts.sink.stalled, note))
        self._notify.ready()

    def _reconfigure(self, settings: Settings) -> None:
        self._parts = reconfigure(self._parts, settings, self._log)
        self._settings = settings

    def _sink_stalls(self, stalled: bool) -> None:
        """Answer requests 503 from the first moment that nothing can be written.

        What streams and datagrams bring is taken into memory up to the high-water mark; a client
        that waits for an answer would lose patience, send it again elsewhere, and have it twice.
        """
        if stalled or not self._parts.sink.paused:
            self._parts.listeners.refuse_requests(stalled)

    def _store(self, input: str, sock: socket.socket) -> None:
        self._notify.store(STORED + input, sock)

    def _not_ready(self) -> str | None:
        """Why new records should not be sent now; None where they may."""
        if self._ending.is_set():
            return "stopping"
        sink = self._parts.sink
        if sink.stalled is not None:
            return f"the sink is stalled: {sink.stalled}"
        return "the sink is full" if sink.paused else None

    def _spawn(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Run a task beside the data; one that fails ends the daemon, for systemd to restart.

        A daemon that lives on without one of its tasks looks well and is not.
        """
        task = self._loop.create_task(work, name=name)
        task.add_done_callback(self._task_ended)
        self._tasks.append(task)

    def _callback_failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a callback raised is logged; where it was the end of the sink's thread, it is ours.

        A connection that fails by itself is closed by asyncio, and costs nobody else anything.
        """
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            # asyncio tells of each place in the backlog, and tries again by itself.
            self._warnings.warn(
                "cannot accept", reason="no file descriptor is left", mend="raise LimitNOFILE="
            )
            return
        loop.default_exception_handler(context)
        if self._parts.sink.failed and not self._failed:
            self._log.error("sink failed", exc_info=context.get("exception"))
            self._failed = True
            self._ending.set()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._log.error("task failed", task=task.get_name(), exc_info=error)
        self._failed = True
        self._ending.set()

    async def _watch_sink(self) -> None:
        """Tell of a disk that does not answer: it raises no error that could be told of."""
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            self._parts.sink_watch.look(self._parts.sink.stalled)

    async def _keep_keys(self) -> None:
        """Make the key of the next day in time; a disk that refuses is told of once.

        Whether days have keys may change by a reload.
        """
        told = ""
        while True:
            problem = ""
            if self._parts.day_keys is not None:
                try:
                    await asyncio.to_thread(self._parts.day_keys.keep, time.time())
                except LogopsError as error:
                    problem = str(error)
            if problem and problem != told:
                self._log.error("day key missing", problem=problem)
            told = problem
            await asyncio.sleep(KEY_SECONDS)

    async def _keep_account(self) -> None:
        """Write the account at UTC midnight, and keep the figures of the day until then."""
        account = self._parts.account
        while True:
            await self._save_account()
            midnight = account.seconds_until_midnight(time.time())
            await asyncio.sleep(min(ACCOUNT_SECONDS, midnight))
            account.tick(time.time())

    async def _save_account(self, *, clean: bool = False) -> None:
        """Keep the figures of the day, if the disk takes them: it may be full, and is told of."""
        account = self._parts.account
        state = account.saved(clean=clean)
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(SAVE_SECONDS):
                await aside(partial(account.save, state))

    async def _keep_house(self) -> None:
        """Sweep at start and then every interval."""
        metrics = self._parts.metrics
        interval = self._settings.housekeep_interval_sec

        def succeeded(when: float) -> None:
            metrics.housekeep_last_success = when if interval else None

        def unshipped(size: int) -> None:
            metrics.retention_unshipped_bytes += size

        keeping = Housekeeping(
            self._log, interval=interval, succeeded=succeeded, unshipped=unshipped
        )
        await keeping.run(lambda: self._parts.sweeper)
