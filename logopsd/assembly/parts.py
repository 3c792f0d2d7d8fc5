"""Who knows whom: makes every part from the settings and joins them, and starts nothing.

Read `assemble` from top to bottom: it goes against the way of the data, since each part is given
the one it hands its results to.
"""

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from structlog.typing import FilteringBoundLogger

from logopsd.assembly.inherited import Inherited
from logopsd.assembly.inputs import Listeners
from logopsd.assembly.limits import connections, raise_descriptors
from logopsd.assembly.privacy import privacy
from logopsd.assembly.share import Share
from logopsd.assembly.tls import load_tls, tls_files
from logopsd.chores.free_space import FreeSpace
from logopsd.chores.housekeeping import SPLIT, Rounds, rounds
from logopsd.chores.sink_watch import SinkWatch
from logopsd.config import Settings
from logopsd.figures.account import Account
from logopsd.figures.metrics import Metrics
from logopsd.figures.sources import Sources
from logopsd.listeners.access import Access, Rules
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.pipeline import Pipeline
from logopsd.rate_limit import RateLimiter
from logopsd.sinks.contract import Sink, SinkObserver
from logopsd.sinks.ndjson import NdjsonSink, Split
from logopsd.systemd import Notifier

# What only some settings need is imported where they ask for it: the rest of the daemon is ready
# the sooner. `cryptography`, which comes with the keys, is the heaviest of it.
if TYPE_CHECKING:
    from logopsd.chores.shipping import Shipping
    from logopsd.keys.day_keys import DayKeys
    from logopsd.listeners.tls import Certificates

Deliver = Callable[[Callable[[], None]], object]
"""Runs a callable in the event loop: `loop.call_soon_threadsafe`, `loop.call_soon`."""


class Parts(msgspec.Struct, frozen=True):
    """Everything that lives as long as the daemon.

    Attributes:
        metrics: all figures.
        sink_watch: brings what the sink tells to metrics, log and systemd.
        sink: takes bytes, gives receipts.
        free_space: of the disk; None where no files are written.
        sweeper: deletes or archives old files.
        pipeline: the way of one batch.
        account: the figures of the day, for the record of them.
        sources: the table of senders.
        listeners: those of the inputs, and those of metrics and health.
        certificates: of TLS; None where nothing speaks it.
        access: who may send, and how many connections there are.
        day_keys: to be kept ready; None where the days have none.
        shipping: sends the files on, in a thread; None where it is not asked to.
    """

    metrics: Metrics
    sink_watch: SinkWatch
    sink: Sink
    free_space: FreeSpace | None
    sweeper: Rounds
    pipeline: Pipeline
    account: Account
    sources: Sources
    listeners: Listeners
    certificates: "Certificates | None"
    access: Access
    day_keys: "DayKeys | None"
    shipping: "Shipping | None"


def assemble(
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    notify: Notifier,
    deliver: Deliver,
    defer: Deliver,
    not_ready: Callable[[], str | None],
    inherited: Inherited,
    own_log: str = "",
    share: Share | None = None,
) -> Parts:
    """Make all parts.

    Args:
        settings: valid ones.
        log: the daemon's own.
        notify: speaks to systemd.
        deliver: runs a callable in the event loop.
        defer: the same at its next turn, from within it.
        not_ready: says why records should not be sent now; None where they may.
        inherited: sockets that systemd opened; they go before the ports of the settings.
        own_log: what stands in each line of `log`; empty for nothing.
        share: the place of this process among several; None where it is alone.

    Raises:
        SettingsError: the certificates of TLS cannot be used.
        PrivacyError: the key of the day cannot be kept.
    """
    made = privacy(settings, time.time())
    metrics = Metrics(detectors=settings.pii_detectors)
    sink_watch = SinkWatch(metrics, log, notify, deliver)
    sink = _sink(settings, deliver, defer, sink_watch, share)
    first, step = (1, 1) if share is None else (share.number, share.count)
    sources = Sources(tz=settings.syslog_tz, first_id=first, id_step=step)
    pipeline = Pipeline(
        lines=LineParser(tz=settings.syslog_tz),
        documents=DocumentParser(tz=settings.syslog_tz, max_message=settings.max_message),
        privacy=made.stage,
        sink=sink,
        metrics=metrics,
        clock=time.time,
        sources=sources,
        own_log=own_log,
        defer=defer,
    )
    free_space = FreeSpace(settings.sink_dir) if settings.sink_file else None
    if settings.housekeep_autorun and settings.housekeep_interval_sec:
        metrics.housekeep_last_success = 0.0
    metrics.before_scrape(lambda: _show_sink(metrics, sink, free_space))
    metrics.before_scrape(lambda: _count_sources(metrics, sources))
    pipeline.limiter = _limiter(settings, None)
    certificates = _certificates(settings, log, metrics)
    access = Access(_rules(settings, log))
    listeners = Listeners(
        settings, log, metrics, pipeline, not_ready, inherited, certificates, access, share
    )
    return Parts(
        metrics=metrics,
        sink_watch=sink_watch,
        sink=sink,
        free_space=free_space,
        sweeper=rounds(settings, sink.open_files),
        pipeline=pipeline,
        account=Account(
            metrics,
            write=pipeline.write_own,
            directory=settings.sink_dir if settings.sink_file else None,
        ),
        sources=sources,
        listeners=listeners,
        certificates=certificates,
        access=access,
        day_keys=made.day_keys,
        shipping=_shipping(settings, log, metrics),
    )


def reconfigure(parts: Parts, settings: Settings, log: FilteringBoundLogger) -> Parts:
    """Bring those settings into effect that can change while the daemon runs (`reloadable`).

    Raises:
        LogopsError: it cannot be done; nothing has changed.
    """
    made = privacy(settings, time.time())
    loaded = load_tls(settings)
    sweeper = rounds(settings, parts.sink.open_files)
    # From here on nothing fails.
    if parts.certificates is not None and loaded is not None:
        parts.certificates.use(loaded)
    parts.metrics.add_detectors(settings.pii_detectors)
    parts.pipeline.privacy = made.stage
    parts.pipeline.lines = LineParser(tz=settings.syslog_tz)
    parts.pipeline.documents = DocumentParser(
        tz=settings.syslog_tz, max_message=settings.max_message
    )
    parts.sources.tz = settings.syslog_tz
    parts.pipeline.limiter = _limiter(settings, parts.pipeline.limiter)
    parts.access.replace(_rules(settings, log))
    parts.listeners.reconfigure(settings)
    parts.sweeper.stop()  # a round under way goes on by the new settings
    return msgspec.structs.replace(parts, sweeper=sweeper, day_keys=made.day_keys)


def _show_sink(metrics: Metrics, sink: Sink, free_space: FreeSpace | None) -> None:
    metrics.sink_pending_bytes = sink.unstored_bytes
    metrics.sink_stalled(sink.stalled is not None)
    metrics.sink_free_bytes = None if free_space is None else free_space.value


def _count_sources(metrics: Metrics, sources: Sources) -> None:
    metrics.sources = len(sources)
    metrics.sources_silent = sources.silent
    metrics.sources_evicted = sources.evicted


def _sink(
    settings: Settings,
    deliver: Deliver,
    defer: Deliver,
    observer: SinkWatch,
    share: Share | None,
) -> Sink:
    """Make the sinks that are on; a dry run has none."""
    makers: list[Callable[[SinkObserver], Sink]] = []
    if settings.sink_file:
        makers.append(partial(_files, settings, deliver, defer, share, split=None))
    if settings.sink_split is not None:
        split = settings.sink_split
        makers.append(partial(_files, settings, deliver, defer, share, split=split))
    if settings.sink_stdout:
        makers.append(partial(_stdout, settings, deliver, defer))
    match makers:
        case []:
            from logopsd.sinks.discard import DiscardSink

            return DiscardSink(deliver=deliver, observer=observer)
        case [make]:
            return make(observer)
    from logopsd.sinks.fanout import FanOutSink

    return FanOutSink(makers, observer)


def _files(
    settings: Settings,
    deliver: Deliver,
    defer: Deliver,
    share: Share | None,
    observer: SinkObserver,
    *,
    split: Split | None,
) -> NdjsonSink:
    directory = settings.sink_dir if split is None else settings.sink_dir / SPLIT
    return NdjsonSink(
        directory=directory,
        max_file_bytes=settings.sink_max_bytes,
        fsync=settings.fsync,
        high_water=settings.sink_high_water,
        low_water=settings.sink_high_water // 2,
        min_free_bytes=settings.min_free_bytes,
        split=split,
        suffix="" if share is None else share.suffix,
        lock=None if share is None else share.lock(directory),
        deliver=deliver,
        defer=defer,
        observer=observer,
    )


def _stdout(settings: Settings, deliver: Deliver, defer: Deliver, observer: SinkObserver) -> Sink:
    from logopsd.sinks.stdout import StdoutSink

    return StdoutSink(
        high_water=settings.sink_high_water,
        low_water=settings.sink_high_water // 2,
        deliver=deliver,
        defer=defer,
        observer=observer,
    )


def _rules(settings: Settings, log: FilteringBoundLogger) -> Rules:
    return Rules(
        allow_from=settings.allow_from,
        proxy_from=settings.proxy_from,
        max_connections=connections(settings.max_connections, raise_descriptors(), log),
        max_connections_per_peer=settings.max_connections_per_peer,
    )


def _limiter(settings: Settings, before: RateLimiter | None) -> RateLimiter | None:
    """The limiter of the settings: the one from before, where there is one to go on with."""
    if not settings.rate_limit:
        return None
    limiter = before or RateLimiter(settings.rate_limit)
    limiter.set_rate(settings.rate_limit)
    return limiter


def _certificates(
    settings: Settings, log: FilteringBoundLogger, metrics: Metrics
) -> "Certificates | None":
    files = tls_files(settings)
    if files is None:
        return None
    from logopsd.listeners.tls import Certificates

    certificates = Certificates(files, log)

    def show() -> None:
        metrics.tls_certificate_expiry = certificates.loaded.expires

    metrics.before_scrape(show)
    return certificates


def _shipping(settings: Settings, log: FilteringBoundLogger, metrics: Metrics) -> "Shipping | None":
    if settings.ship_to is None:
        return None
    from logopsd.assembly.shipping import in_daemon

    return in_daemon(settings, log, metrics)
