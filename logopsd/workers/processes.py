"""CPU, memory and descriptors of several processes as those of one, for the metrics page."""

import resource
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from prometheus_client import ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

_LEAST = ("process_start_time_seconds", "process_max_fds")
"""Of these the sum would mean nothing: the whole began with the first, and a descriptor that one
process lacks no other can give it."""

_CPU = "process_cpu_seconds_total"


class ProcessesCollector(Collector):
    """Adds up what prometheus_client tells of each process.

    Args:
        pids: gives those that live; children that ended are reckoned by the system.
    """

    def __init__(self, pids: Callable[[], Iterable[int]]) -> None:
        self._pids = pids

    def collect(self) -> Iterator[Metric]:
        """Yield each family once."""
        families: dict[str, Metric] = {}
        values: dict[str, list[float]] = {}
        for pid in self._pids():
            for family in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                families.setdefault(family.name, family)
                for sample in family.samples:
                    values.setdefault(sample.name, []).append(sample.value)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        values.setdefault(_CPU, []).append(ended.ru_utime + ended.ru_stime)
        for family in families.values():
            family.samples = [
                sample._replace(value=(min if sample.name in _LEAST else sum)(values[sample.name]))
                for sample in family.samples
            ]
            yield family
