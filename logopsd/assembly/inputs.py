"""Makes the listeners, from the settings and from the sockets that systemd opened."""

import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

from structlog.typing import FilteringBoundLogger

import logopsd
from logopsd.assembly.inherited import Inherited, bound_to, bound_to_path
from logopsd.assembly.share import Share
from logopsd.assembly.side_port import opening_routes, side_port
from logopsd.assembly.views import MAX_SOURCES, views
from logopsd.config import Settings
from logopsd.errors import SettingsError
from logopsd.figures.metrics import Metrics
from logopsd.framing.syslog_stream import SyslogStreamFramer
from logopsd.listeners.access import Access
from logopsd.listeners.datagram import DatagramListener
from logopsd.listeners.http.listener import HttpListener
from logopsd.listeners.http.messages import Routes
from logopsd.listeners.http.service import Limits
from logopsd.listeners.listener import Listener
from logopsd.listeners.routes.ingest import ingest_routes
from logopsd.listeners.routes.live import Live
from logopsd.listeners.routes.page import local_name_check
from logopsd.listeners.routes.side import side_routes
from logopsd.listeners.stream import StreamListener
from logopsd.listeners.stream_connection import Connection, StreamConnection
from logopsd.parsing.cursors import SeenCursors
from logopsd.pipeline import Pipeline

# What only some settings need is imported where they ask for it, so that the rest is ready sooner.
if TYPE_CHECKING:
    from logopsd.listeners.tls import Certificates

Made = TypeVar("Made", bound=Listener)


def _seconds(timeout: Literal["off"] | float) -> float:
    return 0.0 if timeout == "off" else timeout


class Listeners:
    """Makes the listeners; an object, as all of them are given much the same."""

    def __init__(
        self,
        settings: Settings,
        log: FilteringBoundLogger,
        metrics: Metrics,
        pipeline: Pipeline,
        not_ready: Callable[[], str | None],
        inherited: Inherited,
        certificates: "Certificates | None",
        access: Access,
        share: Share | None = None,
    ) -> None:
        self._settings = settings
        self._shared = share is not None
        self._access = access
        self._certificates = certificates
        self._log = log
        self._metrics = metrics
        self._pipeline = pipeline
        self._not_ready = not_ready
        self._inherited = inherited
        self.seen = SeenCursors()
        """Which entries of journals were taken."""
        self.kept: list[DatagramListener] = []
        """Those whose sockets the service manager is to keep over a restart."""
        self.inputs: list[Listener] = [
            *self._each("udp", settings.udp_port, self._udp),
            *self._each("tcp", settings.tcp_port, self._tcp),
            *self._each("tls", settings.tls_port, self._tls),
            *self._unix(),
            *self._each("relp", settings.relp_port, self._relp),
            *self._each("http", settings.http_port, self._http),
        ]
        """Those that are on, or have an inherited socket."""
        sources = partial(pipeline.sources.page, most=MAX_SOURCES)
        shown = views(lambda: self._settings, metrics, sources, not_ready)
        self._live = Live(shown, log)  # who watches goes on doing so when settings change
        self.side_ports = self._each("metrics", settings.metrics_port, self._metrics_port)
        """Those of metrics and health."""

    def reconfigure(self, settings: Settings) -> None:
        """Take from settings what can change while the daemon runs (`reloadable`); never fails."""
        self._settings = settings
        for listener in self.inputs:
            if isinstance(listener, HttpListener):
                listener.replace_routes(self._ingest_routes())
            elif isinstance(listener, StreamListener):
                listener.set_idle_timeout(_seconds(settings.idle_timeout))
        for listener in self.side_ports:
            listener.replace_routes(self._side_routes())

    def refuse_requests(self, refused: bool) -> None:
        """Answer 503 to requests that bring records, or take them again; streams go on."""
        for listener in self.inputs:
            if isinstance(listener, HttpListener):
                if refused:
                    listener.pause()
                else:
                    listener.resume()

    def _each(
        self,
        input: str,
        port: int | None,
        make: Callable[[int, socket.socket | None], Made],
    ) -> list[Made]:
        """Make a listener for each inherited socket of an input; without one, at its port."""
        inherited = self._inherited.take(input)
        if inherited:
            return [make(0, sock) for sock in inherited]
        return [] if port is None else [make(port, None)]

    def _unix(self) -> list[Listener]:
        """Make the listeners on Unix sockets, which are of two kinds."""
        settings = self._settings
        inherited = self._inherited.take("unix")
        datagram = [sock for sock in inherited if sock.type == socket.SOCK_DGRAM]
        stream = [sock for sock in inherited if sock.type == socket.SOCK_STREAM]
        made: list[Listener] = [self._unix_datagram(None, sock) for sock in datagram]
        made += [self._unix_stream(None, sock) for sock in stream]
        if settings.unix_dgram is not None and not datagram:
            wanted = partial(bound_to_path, path=str(settings.unix_dgram))
            stored = self._inherited.take_stored("unix", wanted)
            made.append(self._kept(self._unix_datagram(settings.unix_dgram, stored)))
        if settings.unix_stream is not None and not stream:
            made.append(self._unix_stream(settings.unix_stream, None))
        return made

    def _metrics_port(self, port: int, sock: socket.socket | None) -> HttpListener:
        return side_port(self._settings, self._log, self._side_routes(), port, sock)

    def _side_routes(self) -> Routes:
        routes = side_routes(
            page=self._metrics.page,
            sources=self._pipeline.sources.page,
            version=logopsd.__version__,
            pii_encryption=self._settings.encrypt_pii,
            not_ready=self._not_ready,
            live=self._live,
            check=local_name_check(self._settings.metrics_bind),
        )
        return {**routes, **opening_routes(self._settings, self._log)}

    def _kept(self, listener: DatagramListener) -> DatagramListener:
        self.kept.append(listener)
        return listener

    def _udp(self, port: int, sock: socket.socket | None) -> DatagramListener:
        kept = sock is None  # else a socket unit holds it, which outlives the daemon anyway
        if sock is None:
            wanted = partial(bound_to, host=self._settings.bind, port=port)
            sock = self._inherited.take_stored("udp", wanted)
        udp = DatagramListener(
            input="udp",
            host=self._settings.bind,
            port=port,
            sock=sock,
            max_message=self._settings.max_message,
            take_frames=partial(self._pipeline.take_frames, "udp"),
            metrics=self._metrics.input("udp"),
            # Of a socket that outlives the worker, whoever holds it counts.
            count_kernel_drops=None if self._shared else self._metrics.kernel_dropped,
            access=self._access,
            log=self._log,
        )
        self._metrics.before_scrape(udp.poll)
        return self._kept(udp) if kept else udp

    def _tcp(self, port: int, sock: socket.socket | None) -> Listener:
        return StreamListener(
            input="tcp",
            host=self._settings.bind,
            port=port,
            sock=sock,
            new_connection=self._syslog("tcp"),
            metrics=self._metrics.input("tcp"),
            access=self._access,
            idle_timeout=_seconds(self._settings.idle_timeout),
            log=self._log,
        )

    def _tls(self, port: int, sock: socket.socket | None) -> Listener:
        if self._certificates is None:  # a socket was handed over, and nothing said how to use it
            raise SettingsError(
                [
                    "LOGOPS_TLS_PORT: systemd hands over a socket named tls; set this port, "
                    "LOGOPS_TLS_CERT and LOGOPS_TLS_KEY, or change FileDescriptorName="
                ]
            )
        return StreamListener(
            input="tls",
            host=self._settings.bind,
            port=port,
            sock=sock,
            tls=self._certificates,
            new_connection=self._syslog("tls"),
            metrics=self._metrics.input("tls"),
            access=self._access,
            idle_timeout=_seconds(self._settings.idle_timeout),
            log=self._log,
        )

    def _relp(self, port: int, sock: socket.socket | None) -> Listener:
        from logopsd.framing.relp import RelpSession
        from logopsd.listeners.relp import MAX_SEGMENT, RelpConnection

        settings = self._settings
        return StreamListener(
            input="relp",
            host=settings.bind,
            port=port,
            sock=sock,
            tls=self._certificates if settings.relp_tls else None,
            max_segment=MAX_SEGMENT,
            new_connection=partial(
                RelpConnection,
                make_session=partial(
                    RelpSession,
                    max_message=settings.max_message,
                    software=f"logopsd,{logopsd.__version__}",
                ),
                take_frames=partial(self._pipeline.take_frames, "relp"),
            ),
            metrics=self._metrics.input("relp"),
            access=self._access,
            idle_timeout=_seconds(self._settings.idle_timeout),
            log=self._log,
        )

    def _unix_datagram(self, path: Path | None, sock: socket.socket | None) -> DatagramListener:
        return DatagramListener(
            input="unix",
            path=None if path is None else str(path),
            sock=sock,
            max_message=self._settings.max_message,
            take_frames=partial(self._pipeline.take_frames, "unix"),
            metrics=self._metrics.input("unix"),
            setting="LOGOPS_UNIX_DGRAM",
            log=self._log,
        )

    def _unix_stream(self, path: Path | None, sock: socket.socket | None) -> Listener:
        return StreamListener(
            input="unix",
            path=None if path is None else str(path),
            sock=sock,
            new_connection=self._syslog("unix"),
            metrics=self._metrics.input("unix"),
            setting="LOGOPS_UNIX_STREAM",
            access=self._access,
            idle_timeout=_seconds(self._settings.idle_timeout),
            log=self._log,
        )

    def _syslog(self, input: str) -> Callable[[StreamListener], Connection]:
        """What serves a peer that sends lines of syslog."""
        settings = self._settings
        make_framer = partial(SyslogStreamFramer, max_message=settings.max_message)
        take_frames = partial(self._pipeline.take_frames, input)
        if not settings.multiline:
            return partial(StreamConnection, make_framer=make_framer, take_frames=take_frames)
        from logopsd.framing.multiline import MultilineJoiner
        from logopsd.listeners.multiline_connection import MultilineConnection

        return partial(
            MultilineConnection,
            make_framer=make_framer,
            make_joiner=partial(
                MultilineJoiner,
                max_message=settings.max_message,
                timeout=settings.multiline_timeout,
            ),
            take_frames=take_frames,
        )

    def _http(self, port: int, sock: socket.socket | None) -> Listener:
        settings, metrics = self._settings, self._metrics
        tokens = None
        if settings.http_tokens_file is not None:
            from logopsd.listeners.http.tokens import TokenFile

            tokens = TokenFile(settings.http_tokens_file, self._log)
        return HttpListener(
            name="http",
            authorize=None if tokens is None else tokens.check,
            host=settings.bind,
            port=port,
            sock=sock,
            routes=self._ingest_routes(),
            limits=Limits(max_body_bytes=settings.http_max_body),
            access=self._access,
            metrics=metrics.input("http"),
            responses=metrics.http_responses,
            log=self._log,
        )

    def _ingest_routes(self) -> Routes:
        settings = self._settings
        return ingest_routes(
            take_frames=partial(self._pipeline.take_frames, "http"),
            take_documents=partial(self._pipeline.take_documents, "http"),
            take_entries=partial(self._pipeline.take_documents, "journal", at_once=True),
            metrics=self._metrics.input("http"),
            journal_metrics=self._metrics.input("journal"),
            seen=self.seen,
            log=self._log,
            version=logopsd.__version__,
            pii_encryption=settings.encrypt_pii,
            not_ready=self._not_ready,
            max_message=settings.max_message,
            max_inflated_bytes=settings.http_max_body,
            sample_size=settings.debug_sample_size if settings.debug_sample else 0,
        )
