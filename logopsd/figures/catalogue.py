"""The catalogue: every metric, its help, and the closed set of values each label may have.

No label value ever comes from outside: a reason, a detector or a code that is not in its set
raises KeyError where it is counted, which is a bug of ours and not of a peer.
"""

import platform
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal

import msgspec

import logopsd
from logopsd.compiled import IS_COMPILED
from logopsd.figures.shipping import SKIP_REASONS, ShipFigures
from logopsd.framing import FAULTS
from logopsd.records import INPUTS

if TYPE_CHECKING:
    from logopsd.figures.metrics import Metrics

DROP_REASONS = (
    *("backpressure", "empty", "error", "own_log", "refused", "rejected", "shutdown"),
    "worker",
)
"""Why a frame that was read did not become a stored record.

backpressure: the sink was full and the sender cannot be told (UDP). empty: there was nothing in
it. error: a stage failed on it, a bug. own_log: a line of the daemon's own log that came back to
it. refused: the sender is not in LOGOPS_ALLOW_FROM. rejected: an item of a request was no record,
and the answer said so. shutdown: the sink could not be emptied in the time allowed. worker: one of
several workers died while it had it; it may be stored or not.
"""

FAULT_REASONS = (*FAULTS, "parser")
"""What a framer may find malformed; and `parser`, a line on which a parser failed, a bug."""

REFUSE_REASONS = ("address", "handshake", "limit", "peer", "peer_limit", "proxy")
"""Why a connection was closed before anything was taken of it.

address: it is not in LOGOPS_ALLOW_FROM. handshake: TLS failed, or did not come. limit: there is no
room for more. peer: a certificate that LOGOPS_TLS_PERMITTED_PEERS does not name. peer_limit: there
is no room for more of this address. proxy: a proxy did not say for whom it speaks.
"""

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


Kind = Literal["counter", "gauge", "histogram"]
Sample = tuple[tuple[str, ...], float]
Read = Callable[["Metrics"], Iterable[Sample]]


class Spec(msgspec.Struct, frozen=True):
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
    labels: Mapping[str, tuple[str, ...] | None] = msgspec.field(default_factory=dict)
    is_histogram: bool = False

    @property
    def kind(self) -> Kind:
        """The type, in the words of Prometheus."""
        if self.is_histogram:
            return "histogram"
        return "counter" if self.name.endswith("_total") else "gauge"


def _per_input(attribute: str) -> Read:
    return lambda m: [((i.name,), getattr(i, attribute)) for i in m.inputs.values()]


def _per_reason(attribute: str) -> Read:
    return lambda m: [
        ((i.name, reason), count)
        for i in m.inputs.values()
        for reason, count in getattr(i, attribute).items()
    ]


def _alone(attribute: str) -> Read:
    return lambda m: [((), getattr(m, attribute))]


def _if_any(attribute: str) -> Read:
    def read(m: "Metrics") -> Iterable[Sample]:
        value = getattr(m, attribute)
        return [] if value is None else [((), value)]

    return read


def _one_of(attribute: str) -> Read:
    return lambda m: [((str(key),), count) for key, count in getattr(m, attribute).items()]


def _write_seconds(m: "Metrics") -> Iterable[Sample]:
    return [((), value) for value in (*m.sink_write_counts, m.sink_write_seconds)]


def _of_shipping(read: Callable[["ShipFigures"], Iterable[Sample]]) -> Read:
    return lambda m: [] if m.shipping is None else read(m.shipping)


def _build(_: "Metrics") -> Iterable[Sample]:
    return [((logopsd.__version__, platform.python_version(), "yes" if IS_COMPILED else "no"), 1)]


_OF_INPUTS = (
    ("received_total", "Frames and documents read that are to become records."),
    ("accepted_total", "Records stored by the sink."),
    ("suppressed_total", "Records left out, as their peer sends more than LOGOPS_RATE_LIMIT."),
    ("inflight", "Records received and not yet stored."),
    ("missing_ts_total", "Records that brought no readable time; they have that of arrival."),
    ("missing_level_total", "Records that brought no level; they have INFO."),
    ("truncated_total", "Messages longer than the limit, stored cut."),
    ("repeats_total", "Records left out, as the journal had sent them before."),
    ("connections", "Connections open now."),
)
"""What each input has one of; the name is also the attribute of InputMetrics."""

_OF_THE_DAEMON = (
    ("udp_kernel_drops_total", "Datagrams the kernel dropped, as the receive buffer was full."),
    ("pii_withheld_total", "Values not written, as they could not be masked or encrypted."),
    ("sink_written_bytes_total", "Bytes written to the files of the sink."),
    ("sink_pending_bytes", "Bytes handed to the sink and not yet written."),
    ("sources", "Senders in the table of sources."),
    ("sources_silent", "Senders silent for much longer than they used to be."),
    ("sources_evicted_total", "Senders that left the table of sources to others, as it was full."),
)
"""What there is one of; the name is also the attribute of Metrics."""

_SHIPPING = (
    ("records_total", "Records that the target acknowledged."),
    ("bytes_total", "Bytes of the files that the target acknowledged."),
    ("publishes_total", "Messages or requests that the target acknowledged."),
    ("failures_total", "Attempts to send that failed; each is made again."),
    ("duplicates_total", "Messages that the stream had already, sent again after a failure."),
    ("connected", "1 while the last attempt to send went well, else 0."),
)
"""What shipping has one of; the name is also the attribute of ShipFigures."""

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
    Spec(
        "logops_connections_refused_total",
        "Connections closed before anything was taken of them, by reason.",
        _per_reason("refused"),
        {**_INPUT, "reason": REFUSE_REASONS},
    ),
    Spec(
        "logops_tls_certificate_expiry_timestamp_seconds",
        "When the server's certificate ends, as a Unix time.",
        _if_any("tls_certificate_expiry"),
    ),
    *(
        Spec(f"logops_{name}", help, _alone(name.removesuffix("_total")))
        for name, help in _OF_THE_DAEMON
    ),
    Spec(
        "logops_sink_stalled",
        "1 while the sink cannot write and tries again, or its disk does not answer, else 0.",
        _alone("sink_is_stalled"),
    ),
    Spec(
        "logops_sink_free_bytes",
        "Room left on the file system of LOGOPS_SINK_DIR.",
        _if_any("sink_free_bytes"),
    ),
    Spec(
        "logops_housekeep_last_success_timestamp_seconds",
        "When a round of retention last ended well, as a Unix time; 0 for never.",
        _if_any("housekeep_last_success"),
    ),
    Spec(
        "logops_workers",
        "Workers that receive now, with LOGOPS_WORKERS above 1.",
        _if_any("workers"),
    ),
    Spec(
        "logops_worker_restarts_total",
        "Workers that died and were started again.",
        _if_any("worker_restarts"),
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
    *(
        Spec(
            f"logops_ship_{name}",
            help,
            _of_shipping(
                lambda s, name=name: [((), getattr(s, name.removesuffix("_total")))]  # type: ignore[misc]
            ),
        )
        for name, help in _SHIPPING
    ),
    Spec(
        "logops_ship_skipped_total",
        "Records that the target does not take, by reason; they are stored and stay so.",
        _of_shipping(lambda s: [((reason,), count) for reason, count in s.skipped.items()]),
        {"reason": SKIP_REASONS},
    ),
    Spec(
        "logops_ship_lag_bytes",
        "Bytes stored and not yet sent.",
        _of_shipping(lambda s: [((), s.lag_bytes())]),
    ),
    Spec(
        "logops_ship_lag_seconds",
        "How long the oldest record waits that is not yet sent; 0 where none does.",
        _of_shipping(lambda s: [((), s.lag_seconds())]),
    ),
    Spec(
        "logops_retention_unshipped_bytes_total",
        "Bytes that retention removed before they were shipped, as there was no room.",
        _alone("retention_unshipped_bytes"),
    ),
    Spec(
        "logops_build_info",
        "Always 1; the labels tell what is running.",
        _build,
        {"version": None, "python": None, "compiled": ("yes", "no")},
    ),
)
"""Every metric of ours, in the order of the page; the process' own come behind."""
