"""The metrics page: the catalogue in the words of Prometheus, when somebody scrapes.

The one place of a daemon without workers that needs prometheus_client. It is imported when a page
is first asked for, or when the daemon has nothing else to do (`chores/warming.py`): the library
brings an HTTP server, `email` and `urllib` with it, and all of that took a tenth of the start.
"""

from collections.abc import Iterator
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from logopsd.figures.catalogue import CATALOGUE, WRITE_SECONDS, Spec

if TYPE_CHECKING:
    from logopsd.figures.metrics import Metrics


def fill(
    metrics: "Metrics",
    registry: CollectorRegistry | None,
    *,
    process: Collector | None,
    prefix: str,
) -> CollectorRegistry:
    """Have a registry show the figures.

    Args:
        metrics: the figures.
        registry: a new one where None, never the global one.
        process: see `Metrics`.
        prefix: likewise.
    """
    registry = CollectorRegistry() if registry is None else registry
    registry.register(CataloguePage(metrics, prefix))
    registry.register(ProcessCollector(registry=None) if process is None else process)
    return registry


def render(registry: CollectorRegistry, accept: str | None) -> tuple[bytes, str]:
    """Return the page and its content type; see `Metrics.page`."""
    try:
        encode, content_type = choose_encoder(accept or "")
    except (TypeError, ValueError):  # a version in the header that is no number
        encode, content_type = choose_encoder("")
    return encode(registry), content_type


class CataloguePage(Collector):
    """Puts the figures into the words of Prometheus, when a scrape asks.

    Args:
        metrics: the figures.
        prefix: shows only the metrics whose names begin so.
    """

    def __init__(self, metrics: "Metrics", prefix: str = "") -> None:
        self._metrics = metrics
        self._specs = [spec for spec in CATALOGUE if spec.name.startswith(prefix)]

    def collect(self) -> Iterator[Metric]:
        """Yield every family of the catalogue, with all its children."""
        self._metrics.refresh()
        return iter([_family(spec, self._metrics) for spec in self._specs])


def _family(spec: Spec, metrics: "Metrics") -> Metric:
    if spec.kind == "histogram":
        return _histogram(spec, metrics)
    kind = CounterMetricFamily if spec.kind == "counter" else GaugeMetricFamily
    family = kind(spec.name, spec.help, labels=tuple(spec.labels))
    for values, number in spec.read(metrics):
        family.add_metric(values, number)
    return family


def _histogram(spec: Spec, metrics: "Metrics") -> Metric:
    *counts, total = (number for _, number in spec.read(metrics))
    bounds = [*map(str, WRITE_SECONDS), "+Inf"]
    buckets = list(zip(bounds, accumulate(counts), strict=True))
    return HistogramMetricFamily(spec.name, spec.help, buckets=buckets, sum_value=total)
