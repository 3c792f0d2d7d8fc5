"""The figures of a process at one moment, as they travel to another, and how several add up. Pure.

With several workers each counts for itself, and the page shows the sum. A snapshot is taken
between two batches, so that the account closes in it; then it closes in any sum of them as well.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Final

import msgspec

from logopsd.figures.metrics import Metrics

LOST: Final = "worker"
"""The reason of DROP_REASONS for what was in flight in a worker that died."""

Counts = dict[str, int]


class InputFigures(msgspec.Struct):
    """Those of one input; see metrics.InputMetrics."""

    received: int = 0
    accepted: int = 0
    suppressed: int = 0
    inflight: int = 0
    missing_ts: int = 0
    missing_level: int = 0
    truncated: int = 0
    repeats: int = 0
    connections: int = 0
    dropped: Counts = {}
    faults: Counts = {}
    refused: Counts = {}


class Snapshot(msgspec.Struct):
    """All figures; see metrics.Metrics."""

    inputs: dict[str, InputFigures] = {}
    udp_kernel_drops: int = 0
    http_responses: dict[int, int] = {}
    pii_masked: Counts = {}
    pii_withheld: int = 0
    tls_certificate_expiry: float | None = None
    sink_written_bytes: int = 0
    sink_write_counts: list[int] = []
    sink_write_seconds: float = 0.0
    sink_pending_bytes: int = 0
    sink_is_stalled: bool = False
    sink_free_bytes: int | None = None
    housekeep_last_success: float | None = None
    retention_unshipped_bytes: int = 0
    sources: int = 0
    sources_silent: int = 0
    sources_evicted: int = 0
    workers: int | None = None
    worker_restarts: int | None = None


def _sum(one: Any, other: Any) -> Any:
    return one + other


def _sum_each(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> dict[Any, Any]:
    keys = dict.fromkeys([*one, *other])
    return {key: one.get(key, 0) + other.get(key, 0) for key in keys}


def _sum_places(one: list[int], other: list[int]) -> list[int]:
    if not one or not other:
        return one or other
    return [a + b for a, b in zip(one, other, strict=True)]


def _any(one: bool, other: bool) -> bool:
    return one or other


def _if_both(choose: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """What is known of one alone holds for both."""
    return lambda one, other: other if one is None else one if other is None else choose(one, other)


def _inputs(
    one: Mapping[str, InputFigures], other: Mapping[str, InputFigures]
) -> dict[str, InputFigures]:
    names = dict.fromkeys([*one, *other])
    none = InputFigures()
    return {name: _added(OF_INPUTS, one.get(name, none), other.get(name, none)) for name in names}


OF_INPUTS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "received": _sum,
    "accepted": _sum,
    "suppressed": _sum,
    "inflight": _sum,
    "missing_ts": _sum,
    "missing_level": _sum,
    "truncated": _sum,
    "repeats": _sum,
    "connections": _sum,
    "dropped": _sum_each,
    "faults": _sum_each,
    "refused": _sum_each,
}
"""How each figure of an input adds up."""

OF_ALL: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "inputs": _inputs,
    "udp_kernel_drops": _sum,
    "http_responses": _sum_each,
    "pii_masked": _sum_each,
    "pii_withheld": _sum,
    "tls_certificate_expiry": _if_both(min),  # the one that ends first is the one to renew
    "sink_written_bytes": _sum,
    "sink_write_counts": _sum_places,
    "sink_write_seconds": _sum,
    "sink_pending_bytes": _sum,
    "sink_is_stalled": _any,
    "sink_free_bytes": _if_both(min),  # all write to one disk, and have asked at other moments
    "housekeep_last_success": _if_both(max),
    "retention_unshipped_bytes": _sum,
    "sources": _sum,  # a sender that two workers hear counts twice
    "sources_silent": _sum,
    "sources_evicted": _sum,
    "workers": _if_both(_sum),
    "worker_restarts": _if_both(_sum),
}
"""How each other figure adds up."""

_GONE: Final[Mapping[str, Any]] = {
    "tls_certificate_expiry": None,
    "sink_pending_bytes": 0,
    "sink_is_stalled": False,
    "sink_free_bytes": None,
    "sources": 0,
    "sources_silent": 0,
}
"""What ends with a process, as it tells of a moment and not of all time."""


def take(metrics: Metrics) -> Snapshot:
    """Take the figures of this moment; in the event loop, where they hold still."""
    metrics.refresh()
    inputs = {
        name: InputFigures(**{key: _copied(getattr(figures, key)) for key in OF_INPUTS})
        for name, figures in metrics.inputs.items()
    }
    others = {key: _copied(getattr(metrics, key)) for key in OF_ALL if key != "inputs"}
    return Snapshot(inputs=inputs, **others)


def total(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Add snapshots up."""
    return reduce(lambda one, other: _added(OF_ALL, one, other), snapshots, Snapshot())


def buried(snapshot: Snapshot) -> Snapshot:
    """What remains of the figures of a process that is gone.

    What it had in flight when it was last asked was written or was not, which nobody knows: it is
    counted as dropped, with a reason of its own, so that the account closes. After an end in
    order nothing is in flight.
    """
    inputs = {}
    for name, figures in snapshot.inputs.items():
        dropped = _sum_each(figures.dropped, {LOST: figures.inflight})
        gone = {"inflight": 0, "connections": 0, "dropped": dropped}
        inputs[name] = msgspec.structs.replace(figures, **gone)
    return msgspec.structs.replace(snapshot, inputs=inputs, **_GONE)


def show(snapshot: Snapshot, metrics: Metrics) -> None:
    """Put figures in the place of those that `metrics` shows."""
    for name, figures in snapshot.inputs.items():
        shown = metrics.input(name)
        for key in OF_INPUTS:
            _put(shown, key, getattr(figures, key))
    for key in OF_ALL:
        if key != "inputs":
            _put(metrics, key, getattr(snapshot, key))


def _added(ways: Mapping[str, Callable[[Any, Any], Any]], one: Any, other: Any) -> Any:
    return type(one)(
        **{key: add(getattr(one, key), getattr(other, key)) for key, add in ways.items()}
    )


def _copied(value: Any) -> Any:
    return value.copy() if isinstance(value, (dict, list)) else value


def _put(shown: Any, key: str, value: Any) -> None:
    """A table keeps the keys that it shows as zeros."""
    if isinstance(value, dict):
        getattr(shown, key).update(value)
    elif value != []:
        setattr(shown, key, value)
