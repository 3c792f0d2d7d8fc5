"""Who knows whom: makes every part from the settings and joins them, and starts nothing.

Read `assemble` from top to bottom: it goes against the way of the data, since each part is given
the one it hands its results to.
"""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from structlog.typing import FilteringBoundLogger

import logopsd
from logopsd.config import Settings
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners.datagram import DatagramListener
from logopsd.listeners.http import HttpListener
from logopsd.listeners.http_service import Limits
from logopsd.listeners.ingest_routes import ingest_routes
from logopsd.listeners.side_routes import side_routes
from logopsd.listeners.stream import StreamListener
from logopsd.metrics import Metrics
from logopsd.parsing.documents import DocumentParser
from logopsd.parsing.lines import LineParser
from logopsd.pipeline import Pipeline
from logopsd.privacy.stage import PrivacyStage
from logopsd.privacy.tokens import TokenMaker
from logopsd.retention.sweeper import Sweeper
from logopsd.sink_watch import SinkWatch
from logopsd.sinks.discard import DiscardSink
from logopsd.sinks.ndjson import NdjsonSink
from logopsd.systemd import Notifier

Sink = NdjsonSink | DiscardSink
Deliver = Callable[[Callable[[], None]], object]
"""Runs a callable in the event loop, from any thread: `loop.call_soon_threadsafe`."""


class Listener(Protocol):
    """What the daemon asks of every listener; see listeners/."""

    input: str

    @property
    def addresses(self) -> Sequence[str]:
        """Where it listens, once started: `udp://127.0.0.1:5514`."""

    async def start(self) -> None:
        """Open the socket; ListenError names the mend."""

    def pause(self) -> None:
        """Stop reading: the sink is full."""

    def resume(self) -> None:
        """Read again."""

    def stop_accepting(self) -> None:
        """Take no new peers."""

    async def close(self) -> None:
        """Read out what has arrived, hand it down, and part from the peers."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that lives as long as the daemon.

    Attributes:
        metrics: all figures.
        sink_watch: brings what the sink tells to metrics, log and systemd.
        sink: takes bytes, gives receipts.
        sweeper: deletes or archives old files.
        pipeline: the way of one batch.
        inputs: the listeners that are on.
        side_port: metrics and health; None where it is off.
    """

    metrics: Metrics
    sink_watch: SinkWatch
    sink: Sink
    sweeper: Sweeper
    pipeline: Pipeline
    inputs: Sequence[Listener]
    side_port: Listener | None


def assemble(
    settings: Settings,
    log: FilteringBoundLogger,
    *,
    notify: Notifier,
    deliver: Deliver,
    not_ready: Callable[[], str | None],
) -> Parts:
    """Make all parts.

    Args:
        settings: valid ones.
        log: the daemon's own.
        notify: speaks to systemd.
        deliver: runs a callable in the event loop.
        not_ready: says why records should not be sent now; None where they may.
    """
    metrics = Metrics(detectors=settings.pii_detectors)
    sink_watch = SinkWatch(metrics, log, notify, deliver)
    sink = _sink(settings, deliver, sink_watch)
    pipeline = Pipeline(
        lines=LineParser(tz=settings.syslog_tz),
        documents=DocumentParser(tz=settings.syslog_tz),
        privacy=_privacy_stage(settings),
        sink=sink,
        metrics=metrics,
        clock=time.time,
    )
    metrics.before_scrape(lambda: setattr(metrics, "sink_pending_bytes", sink.unstored_bytes))
    make = _Listeners(settings, log, metrics, pipeline, not_ready)
    sweeper = Sweeper(
        directory=settings.sink_dir,
        archive_dir=settings.archive_dir,
        mode=settings.archive_mode,
        days=settings.retention_days,
        open_files=sink.open_files,
    )
    return Parts(metrics, sink_watch, sink, sweeper, pipeline, make.inputs(), make.side_port())


def _sink(settings: Settings, deliver: Deliver, observer: SinkWatch) -> Sink:
    if not settings.sink_file:
        return DiscardSink(deliver=deliver, observer=observer)
    return NdjsonSink(
        directory=settings.sink_dir,
        max_file_bytes=settings.sink_max_bytes,
        fsync=settings.fsync,
        high_water=settings.sink_high_water,
        low_water=settings.sink_high_water // 2,
        deliver=deliver,
        observer=observer,
    )


def _privacy_stage(settings: Settings) -> PrivacyStage:
    tokens = None
    if settings.encrypt_pii:
        assert settings.secret_key is not None  # Settings are refused without it
        tokens = TokenMaker([settings.secret_key], random_bytes=os.urandom)
    return PrivacyStage(
        detectors=settings.pii_detectors,
        tokens=tokens,
        encrypt_fields=settings.encrypt_fields,
        encrypt_msg=settings.encrypt_msg,
        mask_fields=settings.mask_fields,
        keep=settings.pii_keep,
    )


class _Listeners:
    """Makes the listeners; an object, as all of them are given much the same."""

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        metrics: Metrics,
        pipeline: Pipeline,
        not_ready: Callable[[], str | None],
    ) -> None:
        self._settings = settings
        self._log = log
        self._metrics = metrics
        self._pipeline = pipeline
        self._not_ready = not_ready

    def inputs(self) -> list[Listener]:
        settings = self._settings
        made: list[Listener] = []
        if settings.udp_port is not None:
            made.append(self._udp(settings.udp_port))
        if settings.tcp_port is not None:
            made.append(self._tcp(settings.tcp_port))
        if settings.http_port is not None:
            made.append(self._http(settings.http_port))
        return made

    def side_port(self) -> Listener | None:
        settings = self._settings
        if settings.metrics_port is None:
            return None
        return HttpListener(
            name="metrics",
            host=settings.metrics_bind,
            port=settings.metrics_port,
            setting="LOGOPS_METRICS_PORT",
            bind_setting="LOGOPS_METRICS_BIND",
            routes=side_routes(
                page=self._metrics.page,
                version=logopsd.__version__,
                pii_encryption=settings.encrypt_pii,
                not_ready=self._not_ready,
            ),
            log=self._log,
        )

    def _udp(self, port: int) -> Listener:
        udp = DatagramListener(
            input="udp",
            host=self._settings.bind,
            port=port,
            max_message=self._settings.max_message,
            take_frames=partial(self._pipeline.take_frames, "udp"),
            metrics=self._metrics.input("udp"),
            count_kernel_drops=self._metrics.kernel_dropped,
            log=self._log,
        )
        self._metrics.before_scrape(udp.poll)
        return udp

    def _tcp(self, port: int) -> Listener:
        return StreamListener(
            input="tcp",
            host=self._settings.bind,
            port=port,
            make_framer=partial(SyslogStreamFramer, max_message=self._settings.max_message),
            take_frames=partial(self._pipeline.take_frames, "tcp"),
            metrics=self._metrics.input("tcp"),
            log=self._log,
        )

    def _http(self, port: int) -> Listener:
        settings, metrics = self._settings, self._metrics
        return HttpListener(
            name="http",
            host=settings.bind,
            port=port,
            routes=ingest_routes(
                take_frames=partial(self._pipeline.take_frames, "http"),
                take_documents=partial(self._pipeline.take_documents, "http"),
                metrics=metrics.input("http"),
                log=self._log,
                version=logopsd.__version__,
                pii_encryption=settings.encrypt_pii,
                not_ready=self._not_ready,
                max_message=settings.max_message,
                sample_size=settings.debug_sample_size if settings.debug_sample else 0,
            ),
            limits=Limits(max_body_bytes=settings.http_max_body),
            metrics=metrics.input("http"),
            responses=metrics.http_responses,
            log=self._log,
        )
