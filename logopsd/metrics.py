"""Every metric: its name, its help, and the closed set of values each label may have.

The figures are plain integers. The event loop adds to them once a batch, and they are put into
the words of Prometheus only when somebody scrapes: counting costs next to nothing, and a page
shows one moment, in which the account closes:

    received = accepted + dropped (all reasons) + in flight        for every input

No label value ever comes from outside: a reason, a detector or a code that is not in its set
raises KeyError where it is counted, which is a bug of ours and not of a peer.
"""

import platform
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

import logopsd
from logopsd.framing import FAULTS
from logopsd.records import INPUTS

DROP_REASONS = ("backpressure", "empty", "error", "refused", "shutdown")
"""Why a frame that was read did not become a stored record.

backpressure: the sink was full and the sender cannot be told (UDP). empty: there was nothing in
it. error: a stage failed on it, a bug. refused: access or limits. shutdown: the sink could not be
emptied in the time allowed.
"""

FAULT_REASONS = FAULTS
"""What a framer may find malformed."""

DETECTORS = ("email", "ipv4")
"""The detectors of the privacy stage that have a figure, where nobody names others."""

HTTP_CODES = (
    *(200, 202, 204),
    *(400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 417, 429, 431),
    *(500, 501, 503, 505),
)
"""The status codes the HTTP listener and its routes may answer."""

WRITE_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0)
"""Upper bounds of the write histogram, in seconds: a page cache takes 0.1 ms, a dying disk 10 s."""


class InputMetrics:
    """The figures of one input; the event loop adds to the integers directly.

    Attributes:
        received: frames and documents read that are to become records.
        accepted: records stored.
        missing_ts: records whose time is the time of arrival.
        missing_level: records whose level is INFO for want of one.
        inflight: records received and not yet stored.
        truncated: messages cut at the limit.
        connections: connections open now.
        dropped: reason -> how many were received and not stored.
        faults: reason -> how much malformed was found by the framer.
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
        self.connections = 0
        self.dropped = dict.fromkeys(DROP_REASONS, 0)
        self.faults = dict.fromkeys(FAULT_REASONS, 0)

    def drop(self, reason: str, count: int = 1) -> None:
        """Count what was received and is not stored; the reason is one of DROP_REASONS."""
        self.dropped[reason] += count

    def fault(self, reason: str, count: int = 1) -> None:
        """Count what a framer found malformed; the reason is one of FAULT_REASONS."""
        self.faults[reason] += count


class Metrics:
    """All figures of the daemon, and the page that shows them.

    Args:
        registry: where the figures are shown; a new one by default, never the global one.
        detectors: the names the privacy stage may count under.

    Attributes:
        udp_kernel_drops: datagrams the kernel dropped for want of room, as the sockets say.
        http_responses: code -> how many; one of HTTP_CODES.
        pii_masked: detector -> spans masked.
        pii_withheld: values not written, as they could not be masked.
        sink_written_bytes: bytes written.
        sink_pending_bytes: bytes handed to the sink and not yet written.
        sink_is_stalled: whether it cannot write and tries again.
    """

    def __init__(
        self,
        registry: CollectorRegistry | None = None,
        *,
        detectors: Sequence[str] = DETECTORS,
    ) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self.udp_kernel_drops = 0
        self.http_responses = dict.fromkeys(HTTP_CODES, 0)
        self.pii_masked = dict.fromkeys(detectors, 0)
        self.pii_withheld = 0
        self.sink_written_bytes = 0
        self.sink_is_stalled = False
        self.sink_pending_bytes = 0
        self._inputs: dict[str, InputMetrics] = {}
        self._write_counts = [0] * (len(WRITE_SECONDS) + 1)
        self._write_seconds = 0.0
        self._hooks: list[Callable[[], None]] = []
        self.registry.register(_Page(self))
        ProcessCollector(registry=self.registry)

    def input(self, name: str) -> InputMetrics:
        """Return the figures of an input, one of INPUTS; shown as zeros once first asked for.

        Raises:
            KeyError: no input has that name.
        """
        figures = self._inputs.get(name)
        if figures is None:
            if name not in INPUTS:
                raise KeyError(name)
            figures = self._inputs[name] = InputMetrics(name)
        return figures

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
        self._write_seconds += seconds
        self._write_counts[bisect_left(WRITE_SECONDS, seconds)] += 1

    def sink_stalled(self, stalled: bool) -> None:
        """Tell whether the sink is failing to write and trying again."""
        self.sink_is_stalled = stalled

    def before_scrape(self, hook: Callable[[], None]) -> None:
        """Have a callable run before each scrape, to bring figures that are read up to date."""
        self._hooks.append(hook)

    def page(self, accept: str | None) -> tuple[bytes, str]:
        """Return the page and its content type: OpenMetrics where the scraper asks for it.

        Args:
            accept: the Accept header of the request.
        """
        try:
            encode, content_type = choose_encoder(accept or "")
        except (TypeError, ValueError):  # a version in the header that is no number
            encode, content_type = choose_encoder("")
        return encode(self.registry), content_type

    def _refresh(self) -> None:
        for hook in self._hooks:
            hook()


Kind = Literal["counter", "gauge", "histogram"]
Sample = tuple[tuple[str, ...], float]
Read = Callable[[Metrics], Iterable[Sample]]


@dataclass(frozen=True, slots=True)
class Spec:
    """One metric of the catalogue.

    Attributes:
        name: as the page shows it; a counter ends in `_total`.
        help: what it counts, and of what.
        read: takes the figures, gives label values and number for each child. A histogram gives
            its counts by bucket, not summed up, and the sum of what was observed last.
        labels: name -> every value it may have; None for what is fixed at start.
        is_histogram: what the name does not tell.
    """

    name: str
    help: str
    read: Read
    labels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)
    is_histogram: bool = False

    @property
    def kind(self) -> Kind:
        """The type, in the words of Prometheus."""
        if self.is_histogram:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


def _per_input(attribute: str) -> Read:
    return lambda m: [((i.name,), getattr(i, attribute)) for i in m._inputs.values()]


def _per_reason(attribute: str) -> Read:
    return lambda m: [
        ((i.name, reason), count)
        for i in m._inputs.values()
        for reason, count in getattr(i, attribute).items()
    ]


def _alone(attribute: str) -> Read:
    return lambda m: [((), getattr(m, attribute))]


def _one_of(attribute: str) -> Read:
    return lambda m: [((str(key),), count) for key, count in getattr(m, attribute).items()]


def _write_seconds(m: Metrics) -> Iterable[Sample]:
    return [((), value) for value in (*m._write_counts, m._write_seconds)]


def _build(_: Metrics) -> Iterable[Sample]:
    return [((logopsd.__version__, platform.python_version()), 1)]


_OF_INPUTS = (
    ("received_total", "Frames and documents read that are to become records."),
    ("accepted_total", "Records stored by the sink."),
    ("inflight", "Records received and not yet stored."),
    ("missing_ts_total", "Records that brought no readable time; they have that of arrival."),
    ("missing_level_total", "Records that brought no level; they have INFO."),
    ("truncated_total", "Messages longer than the limit, stored cut."),
    ("connections", "Connections open now."),
)
"""What each input has one of; the name is also the attribute of InputMetrics."""

_OF_THE_DAEMON = (
    ("udp_kernel_drops_total", "Datagrams the kernel dropped, as the receive buffer was full."),
    ("pii_withheld_total", "Values not written, as they could not be masked or encrypted."),
    ("sink_written_bytes_total", "Bytes written to the files of the sink."),
    ("sink_pending_bytes", "Bytes handed to the sink and not yet written."),
)
"""What there is one of; the name is also the attribute of Metrics."""

_INPUT = {"input": INPUTS}

CATALOGUE: tuple[Spec, ...] = (
    *(
        Spec(f"logops_{name}", help, _per_input(name.removesuffix("_total")), _INPUT)
        for name, help in _OF_INPUTS
    ),
    Spec(
        "logops_dropped_total",
        "Frames and documents received that will not be stored, by reason.",
        _per_reason("dropped"),
        {**_INPUT, "reason": DROP_REASONS},
    ),
    Spec(
        "logops_malformed_total",
        "Faults in the framing of a stream, by reason; what could be read is kept.",
        _per_reason("faults"),
        {**_INPUT, "reason": FAULT_REASONS},
    ),
    *(
        Spec(f"logops_{name}", help, _alone(name.removesuffix("_total")))
        for name, help in _OF_THE_DAEMON
    ),
    Spec(
        "logops_sink_stalled",
        "1 while the sink cannot write and tries again, else 0.",
        _alone("sink_is_stalled"),
    ),
    Spec(
        "logops_http_responses_total",
        "HTTP answers given, by status code.",
        _one_of("http_responses"),
        {"code": tuple(map(str, HTTP_CODES))},
    ),
    Spec(
        "logops_pii_masked_total",
        "Spans of personal data masked, by detector.",
        _one_of("pii_masked"),
        {"detector": None},
    ),
    Spec(
        "logops_sink_write_seconds",
        "Duration of one write of the sink, with its fsync where the policy asks for one.",
        _write_seconds,
        is_histogram=True,
    ),
    Spec(
        "logops_build_info",
        "Always 1; the labels tell what is running.",
        _build,
        {"version": None, "python": None},
    ),
)
"""Every metric of ours, in the order of the page; the process' own come behind."""


class _Page(Collector):
    """Puts the figures into the words of Prometheus, when a scrape asks."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        """Yield every family of the catalogue, with all its children."""
        self._metrics._refresh()
        return iter([_family(spec, self._metrics) for spec in CATALOGUE])


def _family(spec: Spec, metrics: Metrics) -> Metric:
    if spec.kind == "histogram":
        return _histogram(spec, metrics)
    kind = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
    family = kind(spec.name, spec.help, labels=tuple(spec.labels))
    for values, number in spec.read(metrics):
        family.add_metric(values, number)
    return family


def _histogram(spec: Spec, metrics: Metrics) -> Metric:
    *counts, total = (number for _, number in spec.read(metrics))
    bounds = [*map(str, WRITE_SECONDS), "+Inf"]
    buckets = list(zip(bounds, accumulate(counts), strict=True))
    return HistogramMetricFamily(spec.name, spec.help, buckets=buckets, sum_value=total)
