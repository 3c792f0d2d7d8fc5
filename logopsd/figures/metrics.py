"""The figures of the daemon, counted where things happen and shown when somebody scrapes.

They are plain integers. The event loop adds to them once a batch, and they are put into the
words of Prometheus by the catalogue only at a scrape: counting costs next to nothing, and a page
shows one moment, in which the account closes:

    received = accepted + dropped (all reasons) + suppressed + in flight       for every input
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from logopsd.figures.catalogue import (
    DETECTORS,
    DROP_REASONS,
    FAULT_REASONS,
    HTTP_CODES,
    REFUSE_REASONS,
    WRITE_SECONDS,
)
from logopsd.figures.shipping import ShipFigures
from logopsd.records import INPUTS

if TYPE_CHECKING:  # it brings http.server and much else, a tenth of the daemon's start
    from prometheus_client import CollectorRegistry
    from prometheus_client.registry import Collector

__all__ = ["DETECTORS", "DROP_REASONS", "FAULT_REASONS", "HTTP_CODES", "InputMetrics", "Metrics"]


class InputMetrics:
    """The figures of one input; the event loop adds to the integers directly.

    Attributes:
        received: frames and documents read that are to become records.
        accepted: records stored.
        missing_ts: records whose time is the time of arrival.
        missing_level: records whose level is INFO for want of one.
        inflight: records received and not yet stored.
        suppressed: records left out, as their peer sends more than it may.
        truncated: messages cut at the limit.
        repeats: records left out, as they had come before; never counted as received.
        connections: connections open now.
        dropped: reason -> how many were received and not stored.
        faults: reason -> how much malformed was found by the framer.
        refused: reason -> how many connections were closed before anything was taken.
    """

    __slots__ = (
        "accepted",
        "connections",
        "dropped",
        "faults",
        "inflight",
        "missing_level",
        "missing_ts",
        "name",
        "received",
        "refused",
        "repeats",
        "suppressed",
        "truncated",
    )

    def __init__(self, name: str) -> None:
        self.name = name
        self.received = 0
        self.accepted = 0
        self.missing_ts = 0
        self.missing_level = 0
        self.inflight = 0
        self.truncated = 0
        self.repeats = 0
        self.suppressed = 0
        self.connections = 0
        self.dropped = dict.fromkeys(DROP_REASONS, 0)
        self.faults = dict.fromkeys(FAULT_REASONS, 0)
        self.refused = dict.fromkeys(REFUSE_REASONS, 0)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what was received and is not stored; the reason is one of DROP_REASONS."""
        self.dropped[reason] += count

    def fault(self, reason: str, count: int = 1) -> None:
        """Count what a framer found malformed; the reason is one of FAULT_REASONS."""
        self.faults[reason] += count

    def refuse(self, reason: str, count: int = 1) -> None:
        """Count connections that were not taken; the reason is one of REFUSE_REASONS."""
        self.refused[reason] += count


class Metrics:
    """All figures of the daemon, and the page that shows them.

    Args:
        registry: where the figures are shown; a new one by default, never the global one.
        detectors: the names the privacy stage may count under.
        process: shows CPU, memory and descriptors; those of this process by default.
        prefix: shows only the metrics whose names begin so, and the process' own.

    Attributes:
        udp_kernel_drops: datagrams the kernel dropped for want of room, as the sockets say.
        http_responses: code -> how many; one of HTTP_CODES.
        pii_masked: detector -> spans masked.
        pii_withheld: values not written, as they could not be masked.
        inputs: those asked for, by name.
        tls_certificate_expiry: when it ends, seconds since the epoch; None without TLS.
        sink_written_bytes: bytes written.
        sink_write_counts: writes by the bucket of WRITE_SECONDS they fall into.
        sink_write_seconds: how long all of them took, seconds.
        sink_pending_bytes: bytes handed to the sink and not yet written.
        sink_is_stalled: whether it cannot write and tries again, or its disk does not answer.
        sink_free_bytes: room on its disk; None where no files are written, or it cannot be told.
        housekeep_last_success: when a round of retention last ended well, seconds since the
            epoch; 0 for never, None where no timer runs them.
        retention_unshipped_bytes: removed before they were shipped, as there was no room.
        shipping: the figures of shipping; None where it is not done here.
        sources: senders in the table.
        sources_silent: those silent for much longer than they used to be.
        sources_evicted: those that lost their place in the table.
        workers: processes at work; None where there is but one.
        worker_restarts: how often one of them was started again; likewise.
    """

    def __init__(
        self,
        registry: "CollectorRegistry | None" = None,
        *,
        detectors: Sequence[str] = DETECTORS,
        process: "Collector | None" = None,
        prefix: str = "",
    ) -> None:
        self.udp_kernel_drops = 0
        self.http_responses = dict.fromkeys(HTTP_CODES, 0)
        self.pii_masked = dict.fromkeys(detectors, 0)
        self.pii_withheld = 0
        self.tls_certificate_expiry: float | None = None
        self.sink_written_bytes = 0
        self.sink_is_stalled = False
        self.sink_free_bytes: int | None = None
        self.housekeep_last_success: float | None = None
        self.sink_pending_bytes = 0
        self.retention_unshipped_bytes = 0
        self.shipping: ShipFigures | None = None
        self.sources = 0
        self.sources_silent = 0
        self.sources_evicted = 0
        self.workers: int | None = None
        self.worker_restarts: int | None = None
        self.inputs: dict[str, InputMetrics] = {}
        self.sink_write_counts = [0] * (len(WRITE_SECONDS) + 1)
        self.sink_write_seconds = 0.0
        self._hooks: list[Callable[[], None]] = []
        self._process = process
        self._prefix = prefix
        self._registry = None if registry is None else self._fill(registry)

    @property
    def registry(self) -> "CollectorRegistry":
        """Where the figures are shown; made when first asked for, as by the first scrape."""
        if self._registry is None:
            self._registry = self._fill()
        return self._registry

    def _fill(self, registry: "CollectorRegistry | None" = None) -> "CollectorRegistry":
        # Here, as prometheus_client is needed by who scrapes, and not to be ready for records.
        from logopsd.figures.page import fill

        return fill(self, registry, process=self._process, prefix=self._prefix)

    def input(self, name: str) -> InputMetrics:
        """Return the figures of an input, one of INPUTS; shown as zeros once first asked for.

        Raises:
            KeyError: no input has that name.
        """
        figures = self.inputs.get(name)
        if figures is None:
            if name not in INPUTS:
                raise KeyError(name)
            figures = self.inputs[name] = InputMetrics(name)
        return figures

    def add_detectors(self, names: Sequence[str]) -> None:
        """Have more names under which the privacy stage may count."""
        for name in names:
            self.pii_masked.setdefault(name, 0)

    def masked(self, detector: str, count: int) -> None:
        """Count spans of text that a detector masked."""
        self.pii_masked[detector] += count

    def withheld(self, count: int) -> None:
        """Count values that could not be masked and were therefore not written."""
        self.pii_withheld += count

    def kernel_dropped(self, count: int) -> None:
        """Count datagrams the kernel dropped since it was last asked."""
        self.udp_kernel_drops += count

    def sink_written(self, size: int, seconds: float) -> None:
        """Count one write of the sink: bytes, and how long it took. For the writer thread only."""
        self.sink_written_bytes += size
        self.sink_write_seconds += seconds
        self.sink_write_counts[bisect_left(WRITE_SECONDS, seconds)] += 1

    def sink_stalled(self, stalled: bool) -> None:
        """Tell whether the sink is failing to write, or waits for its disk."""
        self.sink_is_stalled = stalled

    def before_scrape(self, hook: Callable[[], None]) -> None:
        """Have a callable run before each scrape, to bring figures that are read up to date."""
        self._hooks.append(hook)

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """Return the page and its content type: OpenMetrics where the scraper asks for it.

        Args:
            accept: the Accept header of the request.
        """
        from logopsd.figures.page import render  # as above

        return render(self.registry, accept)

    def refresh(self) -> None:
        """Run the hooks, as each scrape does."""
        for hook in self._hooks:
            hook()
