"""The figures of one moment, as plain values: what the metrics page says, for who shows it."""

from typing import Any

from logopsd.figures.account import figures_of, unaccounted
from logopsd.figures.metrics import InputMetrics, Metrics


def snapshot(metrics: Metrics) -> dict[str, Any]:
    """Return what is counted since the start of the process.

    Returns:
        `inputs`, by name, each with the figures of its account, `dropped_by` reason, and
        `unaccounted`, 0 where the account closes; `kernel_drops`; `sink`.
    """
    metrics.refresh()
    return {
        "inputs": {name: _input(input) for name, input in metrics.inputs.items()},
        "kernel_drops": metrics.udp_kernel_drops,
        "sink": {
            "stalled": metrics.sink_is_stalled,
            "pending_bytes": metrics.sink_pending_bytes,
            "written_bytes": metrics.sink_written_bytes,
            "free_bytes": metrics.sink_free_bytes,
        },
    }


def _input(input: InputMetrics) -> dict[str, Any]:
    figures = figures_of(input)
    return {
        **{name: count for name, count in figures.items() if "dropped_" not in name},
        "connections": input.connections,
        "dropped_by": {reason: count for reason, count in input.dropped.items() if count},
        "unaccounted": unaccounted(figures),
    }
