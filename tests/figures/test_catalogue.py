"""The catalogue: names, help and closed labels."""

import re
from collections.abc import Iterator

import pytest

from logopsd.figures.catalogue import CATALOGUE, Spec
from logopsd.figures.metrics import Metrics
from logopsd.records import INPUTS

UNITS = ("bytes", "seconds")
"""Units a name may end in; a count of things is named by the things."""

DESIGNED = (
    "logops_received_total",
    "logops_accepted_total",
    "logops_missing_ts_total",
    "logops_missing_level_total",
    "logops_inflight",
    "logops_dropped_total",
    "logops_udp_kernel_drops_total",
    "logops_pii_masked_total",
    "logops_sink_written_bytes_total",
    "logops_sink_write_seconds",
    "logops_sink_stalled",
    "logops_connections",
    "logops_build_info",
)
"""What alerts and dashboards stand on."""


def children(metrics: Metrics) -> Iterator[tuple[Spec, tuple[str, ...]]]:
    """Give every child of every metric."""
    for spec in CATALOGUE:
        for values, _ in spec.read(metrics):
            yield spec, values


@pytest.mark.parametrize("spec", CATALOGUE, ids=lambda spec: spec.name)
def test_each_metric_is_named_and_explained(spec: Spec) -> None:
    """Every metric has a sentence of help and a name that says thing, unit and kind."""
    assert re.fullmatch(r"logops(_[a-z]+)+", spec.name)
    assert spec.help.endswith(".")
    assert len(spec.help) > 20
    assert spec.name.endswith("_total") == (spec.kind == "counter")
    if any(unit in spec.name for unit in UNITS):
        assert spec.name.removesuffix("_total").endswith(UNITS)


def test_names_are_unique_and_complete() -> None:
    """No name stands twice, and none that dashboards need is missing."""
    names = [spec.name for spec in CATALOGUE]
    assert len(names) == len(set(names))
    assert set(DESIGNED) <= set(names)


def test_every_label_value_is_of_a_closed_set() -> None:
    """Each child has the labels its metric declares, and values out of their sets."""
    metrics = Metrics()
    for name in INPUTS:
        metrics.input(name)
    for spec, values in children(metrics):
        if spec.kind == "histogram":
            continue
        assert len(values) == len(spec.labels)
        for value, allowed in zip(values, spec.labels.values(), strict=True):
            assert allowed is None or value in allowed
