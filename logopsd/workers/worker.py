"""One worker: the daemon with a few parts exchanged, at the supervisor's other end.

Its files end in `-wK`. What there is once, however many workers receive (side port, account,
retention, the state of journals), is the supervisor's; it is given figures when it asks.
"""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from logopsd import daemon, log
from logopsd.assembly.share import Share
from logopsd.chores.tasks import SOURCES_SECONDS
from logopsd.config import Settings, load
from logopsd.daemon import Daemon
from logopsd.errors import LogopsError, SettingsError
from logopsd.figures import tally
from logopsd.systemd import Notifier
from logopsd.workers import messages
from logopsd.workers.messages import Alive, Ask, Figures, FromWorker, Hello, Last, Ready, Reload

CHANNEL_FD = 0
"""Where a worker finds its end of the pair of sockets: it has no standard input."""

CONFIG = 78
"""The exit status of settings that cannot be used, as the command line has it."""

_FIRST_READ = 256 * 1024

_ALONE = "a worker is started by logopsd itself: set LOGOPS_WORKERS, and start that"


def main() -> int:
    """Be a worker of the process that started this one; returns the exit status."""
    try:
        channel = _channel()
        hello, sockets, locks = receive_hello(channel)
        whole = _settings_of(hello.settings)
        threshold = log.Threshold(whole.log_level)
        own = log.configure(threshold, whole.log_format, instance=hello.instance)
        own = own.bind(worker=hello.number)
        log.take_over(own)
        daemon.calm_collector()
        share = Share(hello.number, hello.count, locks)
        return asyncio.run(_live(hello, whole, own, threshold, share, sockets, channel))
    except SettingsError as error:
        print("\n".join(error.problems), file=sys.stderr)  # noqa: T201
        return CONFIG
    except LogopsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1


async def _live(
    hello: Hello,
    whole: Settings,
    log: FilteringBoundLogger,
    threshold: log.Threshold,
    share: Share,
    sockets: dict[str, list[socket.socket]],
    channel: socket.socket,
) -> int:
    reader, writer = await asyncio.open_unix_connection(sock=channel, limit=messages.MAX_LINE)

    def say(message: FromWorker) -> None:
        writer.write(messages.line(message))

    worker = Worker(
        share.of(whole),
        log,
        own_log=hello.instance,
        notify=ChannelNotifier(say, hello.watchdog),
        sockets=sockets,
        share=share,
        say=say,
        threshold=threshold,
    )
    listening = asyncio.create_task(worker.listen(reader))
    try:
        return await worker.run()
    finally:
        listening.cancel()
        writer.close()
        await asyncio.gather(listening, writer.wait_closed(), return_exceptions=True)


def receive_hello(
    channel: socket.socket,
) -> tuple[Hello, dict[str, list[socket.socket]], dict[Path, int]]:
    """Wait for the first message, and take what comes along.

    Returns:
        The message; sockets by name; locks by their directory.

    Raises:
        LogopsError: nobody is at the other end.
    """
    data = b""
    fds: list[int] = []
    while not data.endswith(b"\n"):
        read, came, _, _ = socket.recv_fds(
            channel, _FIRST_READ, messages.MAX_FDS, socket.MSG_CMSG_CLOEXEC
        )
        if not read:
            raise LogopsError(_ALONE)
        data += read
        fds += came
    hello = messages.to_worker.decode(data)
    assert isinstance(hello, Hello)
    sockets: dict[str, list[socket.socket]] = {}
    for name, fd in zip(hello.sockets, fds, strict=False):
        adopted = socket.socket(fileno=fd)
        adopted.setblocking(False)
        sockets.setdefault(name, []).append(adopted)
    locks = dict(zip(map(Path, hello.locks), fds[len(hello.sockets) :], strict=True))
    return hello, sockets, locks


class ChannelNotifier(Notifier):
    """Tells the supervisor what a daemon that is alone tells systemd.

    Args:
        say: takes messages.
        watchdog: seconds within which it wants to hear that we are alive.
    """

    def __init__(self, say: Callable[[FromWorker], None], watchdog: float) -> None:
        super().__init__({})
        self._say = say
        self.watchdog_interval = watchdog / 2

    def ready(self) -> None:
        """The start, or a reload, is done."""
        self._say(Ready())

    def watchdog(self) -> None:
        """The daemon is alive."""
        self._say(Alive())


class Worker(Daemon):
    """A daemon that is one of several.

    Args:
        settings: its share of the whole.
        log: its own.
        say: tells the supervisor.
        threshold: of the log, whose level may change.
        own_log: see Daemon.
        notify: likewise.
        sockets: likewise.
        share: likewise.
    """

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        *,
        say: Callable[[FromWorker], None],
        threshold: log.Threshold,
        own_log: str,
        notify: Notifier,
        sockets: dict[str, list[socket.socket]],
        share: Share,
    ) -> None:
        self._tell = say
        self._share = share
        self._threshold = threshold
        super().__init__(
            settings, log, own_log=own_log, notify=notify, sockets=sockets, share=share
        )

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Do what the supervisor asks; where it is gone, end in order."""
        try:
            while line := await reader.readline():
                message = messages.to_worker.decode(line)
                if isinstance(message, Ask):
                    self._tell(self._figures(message))
                elif isinstance(message, Reload):
                    self._reload(message)
        except OSError:  # reset: it is gone as well
            pass
        if not self._ending.is_set():
            self._log.error(
                "supervisor gone", hint="what was taken is stored, and this worker ends"
            )
            self._ending.set()

    def _figures(self, asked: Ask) -> Figures:
        parts = self._parts
        return Figures(
            tally.take(parts.metrics),
            self._not_ready(),
            [str(path) for path in parts.sink.open_files()],
            parts.sources.page(0.0) if asked.sources else None,
        )

    def _reload(self, asked: Reload) -> None:
        self._parts.sink.reopen()
        if asked.settings is not None:
            try:
                whole = _settings_of(asked.settings)
                self._reconfigure(self._share.of(whole))
                self._threshold.set(whole.log_level)
            except LogopsError as error:
                self._log.error("reload refused", problem=str(error))
        self._notify.ready()

    # What the supervisor does for all.

    def _take_up(self) -> None:
        self._recall_journals()

    async def _tell_outside(self) -> None:
        self._spawn("sources", self._check_sources())

    async def _hand_on(self, *, complete: bool) -> None:
        seen = self._parts.listeners.seen.dump() if complete else None
        self._tell(Last(tally.take(self._parts.metrics), seen))

    def _say(self, event: str, **fields: object) -> None:
        self._log.debug(event, **fields)

    async def _check_sources(self) -> None:
        """Look who fell silent; only the supervisor knows whether others still hear them."""
        while True:
            await asyncio.sleep(SOURCES_SECONDS)
            self._parts.sources.check(time.time())


def _settings_of(environ: Mapping[str, str]) -> Settings:
    """The settings that were sent; of the files they name, as they are now."""
    return load(environ, env_file=Path(os.devnull), directory=Path.cwd())


def _channel() -> socket.socket:
    """Our end of the channel, moved to where nobody takes it for standard input."""
    try:
        moved = socket.socket(fileno=os.dup(CHANNEL_FD))
    except OSError:
        raise LogopsError(_ALONE) from None
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, CHANNEL_FD)
    os.close(nothing)
    return moved
